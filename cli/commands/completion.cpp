// The scripts are made from the command table, so a new command or option completes without further work.
#include "cli/commands/commands.hpp"
#include "cli/options/values.hpp"
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

std::string names_of(std::span<const Command> among) {
  std::vector<std::string> names;
  for (const auto& command : among) {
    names.emplace_back(command.name);
  }
  return base::join(names, " ");
}

std::string options_of(const Command& command) {
  return base::join(option_names(command), " ");
}

std::string bash_script() {
  std::string cases;
  std::string groups;
  for (const auto& command : commands()) {
    const auto below = subcommands_of(command);
    if (below.empty()) {
      cases += fmt::format("    {}) options='{}' ;;\n", command.name, options_of(command));
      continue;
    }
    groups += fmt::format("      {}) known='{}' ;;\n", command.name, names_of(below));
    cases += fmt::format("    {}) options='{}' ;;\n", command.name, names_of(below));
    for (const auto& sub : below) {
      cases += fmt::format("    '{} {}') options='{}' ;;\n", command.name, sub.name, options_of(sub));
    }
  }
  return fmt::format(R"(# bash completion for deployctl
_deployctl() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" command='' word known options=''
  case "$previous" in
    -f|--file) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --output) COMPREPLY=($(compgen -W 'plain tty json' -- "$current")); return ;;
    --color) COMPREPLY=($(compgen -W 'auto always never' -- "$current")); return ;;
    --log-level) COMPREPLY=($(compgen -W 'off debug' -- "$current")); return ;;
  esac
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$command" in
      '') known='{0}' ;;
{1}      *) break ;;
    esac
    case " $known " in *" $word "*) command="${{command:+$command }}$word" ;; esac
  done
  case "$command" in
    '') COMPREPLY=($(compgen -W '{0}' -- "$current")); return ;;
{2}  esac
  COMPREPLY=($(compgen -W "$options" -- "$current"))
}}
complete -o default -F _deployctl deployctl
)",
                     names_of(commands()), groups, cases);
}

std::string zsh_descriptions(std::span<const Command> among, std::string_view indent) {
  std::string lines;
  for (const auto& command : among) {
    lines += fmt::format("{}'{}:{}'\n", indent, command.name, command.summary);
  }
  return lines;
}

// The commands below `command` at the third word, their options after it.
std::string zsh_group(const Command& command) {
  std::string cases;
  for (const auto& sub : subcommands_of(command)) {
    cases += fmt::format("        {}) compadd -- {} ;;\n", sub.name, options_of(sub));
  }
  return fmt::format(R"(    {})
      if (( CURRENT == 3 )); then
        known=(
{}        )
        _describe command known
        return
      fi
      case "${{words[3]}}" in
{}      esac
      ;;
)",
                     command.name, zsh_descriptions(subcommands_of(command), "          "), cases);
}

std::string zsh_script() {
  std::string cases;
  for (const auto& command : commands()) {
    cases += command.subcommands != nullptr
                 ? zsh_group(command)
                 : fmt::format("    {}) compadd -- {} ;;\n", command.name, options_of(command));
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
                     zsh_descriptions(commands(), "    "), cases);
}

std::string fish_options(const Command& command, std::string_view condition) {
  std::string lines;
  for (const auto& option : option_names(command)) {
    lines += fmt::format("complete -c deployctl -n '{}' -l {}\n", condition, option.substr(2));
  }
  return lines;
}

std::string fish_script() {
  std::string lines = "# fish completion for deployctl\ncomplete -c deployctl -f\n";
  for (const auto& command : commands()) {
    lines +=
        fmt::format("complete -c deployctl -n __fish_use_subcommand -a {} -d '{}'\n", command.name, command.summary);
    const auto seen = fmt::format("__fish_seen_subcommand_from {}", command.name);
    const auto below = subcommands_of(command);
    if (below.empty()) {
      lines += fish_options(command, seen);
    }
    for (const auto& sub : below) {
      lines += fmt::format("complete -c deployctl -n '{}; and not __fish_seen_subcommand_from {}' -a {} -d '{}'\n",
                           seen, names_of(below), sub.name, sub.summary);
      lines += fish_options(sub, fmt::format("{}; and __fish_seen_subcommand_from {}", seen, sub.name));
    }
  }
  return lines;
}

}  // namespace

Action declare_completion(CLI::App& parser) {
  auto shell = std::make_shared<std::string>();
  parser.add_option("shell", *shell, "bash, zsh or fish")->required()->check(one_of({"bash", "zsh", "fish"}));
  return [shell](Runtime& runtime) {
    runtime.print(*shell == "bash" ? bash_script() : *shell == "zsh" ? zsh_script() : fish_script());
    return 0;
  };
}

}  // namespace deployctl::cli
