#include "cli/app.hpp"

#include "cli/command.hpp"
#include "cli/options/global_options.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/base/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace deployctl::cli {
namespace {

constexpr int usage_exit_code = 2;

void declare_global_options(CLI::App& app, GlobalOptions& options) {
  static const std::map<std::string, OutputMode> output_modes{{"auto", OutputMode::automatic},
                                                              {"plain", OutputMode::plain},
                                                              {"tty", OutputMode::tty},
                                                              {"json", OutputMode::json}};
  static const std::map<std::string, ColorMode> color_modes{
      {"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}};
  static const std::map<std::string, LogLevel> log_levels{{"off", LogLevel::off}, {"debug", LogLevel::debug}};
  app.add_option("-f,--file", options.file, "project manifest (default: deployctl.yaml here or in a parent folder)")
      ->type_name("FILE");
  app.add_option("-e,--env", options.environment, "environment of the project manifest")->type_name("NAME");
  app.add_option("--output", options.output, "progress as plain lines, a live board or NDJSON (default: auto)")
      ->transform(CLI::CheckedTransformer(output_modes).description(""))
      ->type_name("plain|tty|json");
  app.add_option("--color", options.color, "colours (default: auto, on a terminal)")
      ->transform(CLI::CheckedTransformer(color_modes).description(""))
      ->type_name("auto|always|never");
  app.add_option("--log-level", options.log_level, "log every request and program on stderr (default: off)")
      ->transform(CLI::CheckedTransformer(log_levels).description(""))
      ->type_name("off|debug");
  app.add_flag("-q,--quiet", options.quiet, "only results and errors");
}

// The first word of the command line that is no option nor an option's value: the command.
std::string command_word(const std::vector<std::string>& words) {
  for (std::size_t at = 0; at < words.size(); ++at) {
    const bool takes_value = words[at] == "-f" || words[at] == "--file" || words[at] == "-e" || words[at] == "--env" ||
                             words[at] == "--output" || words[at] == "--color" || words[at] == "--log-level";
    if (takes_value) {
      ++at;
    } else if (!words[at].starts_with('-')) {
      return words[at];
    }
  }
  return {};
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    names.emplace_back(command.name);
  }
  return names;
}

int refuse_usage(std::string_view message, std::string_view hint) {
  fmt::print(stderr, "error: {}\n", message);
  if (!hint.empty()) {
    fmt::print(stderr, "  {}\n", hint);
  }
  return usage_exit_code;
}

int refuse_unknown_command(const std::string& word) {
  const auto names = command_names();
  auto hint = base::did_you_mean(word, names);
  if (hint.empty()) {
    hint = "'deployctl --help' lists the commands";
  }
  return refuse_usage(fmt::format("unknown command '{}'", base::printable(word)), hint);
}

bool is_command(const std::string& word) {
  const auto names = command_names();
  return std::ranges::find(names, word) != names.end();
}

// CLI11's words for a mistake on the command line, with the nearest option where one was mistyped.
int refuse_parse_error(const CLI::App& parser, const CLI::ParseError& problem, const std::vector<std::string>& words) {
  const auto hint = fmt::format("'{} --help' shows what it takes", parser.get_display_name());
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
  return chosen.empty() ? app : *chosen.front();
}

}  // namespace

int run(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const auto word = command_word(words);
  if (!word.empty() && !is_command(word)) {
    return refuse_unknown_command(word);
  }

  GlobalOptions options;
  CLI::App app("Takes a service from source to running replicas: build, push, roll out, watch, undo.", "deployctl");
  app.fallthrough();
  app.set_help_flag("-h,--help", "show this help");
  app.set_version_flag("--version", std::string(version_line()), "show the version");
  app.footer("'deployctl COMMAND --help' explains a command and shows examples.");
  app.require_subcommand(0, 1);
  declare_global_options(app, options);

  std::vector<std::pair<CLI::App*, Action>> actions;
  for (const auto& command : commands()) {
    // Declaring the options of one command is enough: the others only have to be listed.
    auto* parser = app.add_subcommand(std::string(command.name), std::string(command.summary));
    parser->group(std::string(command.group));
    if (command.name == word) {
      parser->footer(fmt::format("Examples:\n{}", command.examples));
      actions.emplace_back(parser, command.declare(*parser));
    }
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::CallForVersion&) {
    fmt::print("{}\n", version_line());
    return 0;
  } catch (const CLI::ParseError& problem) {
    return refuse_parse_error(chosen_parser(app), problem, words);
  }
  for (const auto& [parser, action] : actions) {
    if (parser->parsed()) {
      Runtime runtime(options);
      return action(runtime);
    }
  }
  fmt::print("{}", app.help());
  return 0;
}

}  // namespace deployctl::cli
