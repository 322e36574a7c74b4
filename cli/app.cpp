#include "cli/app.hpp"

#include "cli/command.hpp"
#include "cli/options/global_options.hpp"
#include "cli/options/values.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace deployctl::cli {
namespace {

constexpr int usage_exit_code = 2;

void declare_global_options(CLI::App& app, GlobalOptions& options) {
  const Choices<OutputMode> output_modes{{"auto", OutputMode::automatic},
                                         {"plain", OutputMode::plain},
                                         {"tty", OutputMode::tty},
                                         {"json", OutputMode::json}};
  const Choices<ColorMode> color_modes{
      {"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}};
  const Choices<LogLevel> log_levels{{"off", LogLevel::off}, {"debug", LogLevel::debug}};
  app.add_option("-f,--file", options.file, "project manifest (default: deployctl.yaml here or in a parent folder)")
      ->type_name("FILE");
  app.add_option("-e,--env", options.environment, "environment of the project manifest")->type_name("NAME");
  add_choice(app, "--output", options.output, output_modes,
             "progress as plain lines, a live board or NDJSON (default: auto)");
  add_choice(app, "--color", options.color, color_modes, "colours (default: auto, on a terminal)");
  add_choice(app, "--log-level", options.log_level, log_levels,
             "log every request and program on stderr (default: off)");
  app.add_flag("-q,--quiet", options.quiet, "only results and errors");
}

// The words of the command line that are no option nor a global option's value, the command's first.
std::vector<std::string> plain_words(const std::vector<std::string>& words) {
  std::vector<std::string> plain;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const bool takes_value = words[at] == "-f" || words[at] == "--file" || words[at] == "-e" || words[at] == "--env" ||
                             words[at] == "--output" || words[at] == "--color" || words[at] == "--log-level";
    if (takes_value) {
      ++at;
    } else if (!words[at].starts_with('-')) {
      plain.push_back(words[at]);
    }
  }
  return plain;
}

const Command* find_command(std::span<const Command> among, std::string_view name) {
  const auto found = std::ranges::find(among, name, &Command::name);
  return found == among.end() ? nullptr : &*found;
}

// Help and version, which are results too.
int print_result(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return 0;
  }
  const int reason = errno;
  if (reason == EPIPE) {
    return 0;
  }
  std::fprintf(stderr, "error: cannot write the results to stdout: %s\n", std::strerror(reason));
  return base::exit_code(base::ErrorCode::failed);
}

int refuse_usage(std::string_view message, std::string_view hint) {
  fmt::print(stderr, "error: {}\n", message);
  if (!hint.empty()) {
    fmt::print(stderr, "  {}\n", hint);
  }
  return usage_exit_code;
}

// `prefix` are the words before it: "image ".
int refuse_unknown_command(std::span<const Command> among, std::string_view prefix, const std::string& word) {
  std::vector<std::string> names;
  for (const auto& command : among) {
    names.emplace_back(command.name);
  }
  auto hint = base::did_you_mean(word, names);
  if (hint.empty()) {
    hint = fmt::format("'deployctl {}--help' lists the commands", prefix);
  }
  return refuse_usage(fmt::format("unknown command '{}{}'", prefix, base::printable(word)), hint);
}

// "deployctl image inspect"
std::string full_name(const CLI::App& parser) {
  return parser.get_parent() == nullptr ? parser.get_name() : full_name(*parser.get_parent()) + " " + parser.get_name();
}

// CLI11's words for a mistake on the command line, with the nearest option where one was mistyped.
int refuse_parse_error(const CLI::App& parser, const CLI::ParseError& problem, const std::vector<std::string>& words) {
  const auto hint = fmt::format("'{} --help' shows what it takes", full_name(parser));
  if (problem.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    return refuse_usage(problem.what(), hint);
  }
  std::vector<std::string> options;
  for (const auto* level = &parser; level != nullptr; level = level->get_parent()) {
    for (const auto* option : level->get_options()) {
      for (const auto& name : option->get_lnames()) {
        options.push_back("--" + name);
      }
    }
  }
  for (const auto& word : words) {
    const auto name = std::string(base::split_once(word, '=').first);
    if (name.starts_with("--") && std::ranges::find(options, name) == options.end()) {
      const auto suggestion = base::did_you_mean(name, options);
      return refuse_usage(fmt::format("unknown option '{}'", base::printable(name)),
                          suggestion.empty() ? hint : suggestion);
    }
  }
  return refuse_usage(problem.what(), hint);
}

const CLI::App& chosen_parser(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : chosen_parser(*chosen.front());
}

struct Chosen {
  CLI::App* parser = nullptr;
  Action action;
  Prints prints = Prints::events;
  Meets meets = Meets::nobody;
};

// Puts the commands on the parser. Declaring the options of the chosen one is enough: the others only have to be
// listed.
Chosen declare_commands(CLI::App& app, std::span<const Command> among, std::span<const std::string> path) {
  Chosen chosen;
  for (const auto& command : among) {
    auto* parser = app.add_subcommand(std::string(command.name), std::string(command.summary));
    parser->group(std::string(command.group));
    if (path.empty() || command.name != path.front()) {
      continue;
    }
    parser->footer(fmt::format("Examples:\n{}", command.examples));
    if (command.subcommands != nullptr) {
      parser->require_subcommand(0, 1);
      chosen = declare_commands(*parser, command.subcommands(), path.subspan(1));
    } else {
      chosen = {.parser = parser, .action = command.declare(*parser), .prints = command.prints, .meets = command.meets};
    }
  }
  return chosen;
}

}  // namespace

int run(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const auto path = plain_words(words);
  if (const auto* command = path.empty() ? nullptr : find_command(commands(), path[0])) {
    const auto below = subcommands_of(*command);
    if (!below.empty() && path.size() > 1 && find_command(below, path[1]) == nullptr) {
      return refuse_unknown_command(below, path[0] + " ", path[1]);
    }
  } else if (!path.empty()) {
    return refuse_unknown_command(commands(), "", path[0]);
  }

  GlobalOptions options;
  CLI::App app("Takes a service from source to running replicas: build, push, roll out, watch, undo.", "deployctl");
  app.fallthrough();
  app.set_help_flag("-h,--help", "show this help");
  app.set_version_flag("--version", std::string(version_line()), "show the version");
  app.footer("'deployctl COMMAND --help' explains a command and shows examples.");
  app.require_subcommand(0, 1);
  declare_global_options(app, options);

  const auto chosen = declare_commands(app, commands(), path);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return print_result(app.help());
  } catch (const CLI::CallForVersion&) {
    return print_result(fmt::format("{}\n", version_line()));
  } catch (const CLI::ParseError& problem) {
    return refuse_parse_error(chosen_parser(app), problem, words);
  }
  if (chosen.parser != nullptr && chosen.parser->parsed()) {
    Runtime runtime(options, chosen.prints);
    if (chosen.meets == Meets::cluster) {
      runtime.expect_cluster();
    }
    return runtime.finish(chosen.action(runtime));
  }
  return print_result(app.help());
}

}  // namespace deployctl::cli
