// The scripts are made from the command table, so a new command or option completes without further work.
#include "cli/commands/commands.hpp"
#include "cli/runtime.hpp"
#include "core/base/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

namespace deployctl::cli {
namespace {

const std::vector<std::string> global_options{"--file",      "--env",   "--output", "--color",
                                              "--log-level", "--quiet", "--help"};

std::vector<std::string> option_names(const Command& command) {
  CLI::App parser;
  command.declare(parser);
  std::vector<std::string> names;
  for (const auto* option : parser.get_options()) {
    for (const auto& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  std::ranges::copy_if(global_options, std::back_inserter(names),
                       [&](const std::string& name) { return std::ranges::find(names, name) == names.end(); });
  return names;
}

std::string all_names() {
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    names.emplace_back(command.name);
  }
  return base::join(names, " ");
}

std::string bash_script() {
  std::string cases;
  for (const auto& command : commands()) {
    cases += fmt::format("    {}) options='{}' ;;\n", command.name, base::join(option_names(command), " "));
  }
  return fmt::format(R"(# bash completion for deployctl
_deployctl() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" command='' word options=''
  case "$previous" in
    -f|--file) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --output) COMPREPLY=($(compgen -W 'plain tty json' -- "$current")); return ;;
    --color) COMPREPLY=($(compgen -W 'auto always never' -- "$current")); return ;;
    --log-level) COMPREPLY=($(compgen -W 'off debug' -- "$current")); return ;;
  esac
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case " {0} " in *" $word "*) command="$word"; break ;; esac
  done
  case "$command" in
    '') COMPREPLY=($(compgen -W '{0}' -- "$current")); return ;;
{1}  esac
  COMPREPLY=($(compgen -W "$options" -- "$current"))
}}
complete -o default -F _deployctl deployctl
)",
                     all_names(), cases);
}

std::string zsh_script() {
  std::string described;
  std::string cases;
  for (const auto& command : commands()) {
    described += fmt::format("    '{}:{}'\n", command.name, command.summary);
    cases += fmt::format("    {}) compadd -- {} ;;\n", command.name, base::join(option_names(command), " "));
  }
  return fmt::format(R"(#compdef deployctl
_deployctl() {{
  local -a known
  known=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command known
    return
  fi
  case "${{words[2]}}" in
{}  esac
}}
compdef _deployctl deployctl
)",
                     described, cases);
}

std::string fish_script() {
  std::string lines = "# fish completion for deployctl\ncomplete -c deployctl -f\n";
  for (const auto& command : commands()) {
    lines +=
        fmt::format("complete -c deployctl -n __fish_use_subcommand -a {} -d '{}'\n", command.name, command.summary);
    for (const auto& option : option_names(command)) {
      lines += fmt::format("complete -c deployctl -n '__fish_seen_subcommand_from {}' -l {}\n", command.name,
                           option.substr(2));
    }
  }
  return lines;
}

}  // namespace

Action declare_completion(CLI::App& parser) {
  auto shell = std::make_shared<std::string>();
  parser.add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  return [shell](Runtime& runtime) {
    runtime.print(*shell == "bash" ? bash_script() : *shell == "zsh" ? zsh_script() : fish_script());
    return 0;
  };
}

}  // namespace deployctl::cli
