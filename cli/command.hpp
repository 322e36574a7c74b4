// One command of the program: its name, its words for the help page, its options, and what it does.
#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace deployctl::cli {

class Runtime;

// Runs the command that was chosen and returns the process exit code.
using Action = std::function<int(Runtime&)>;

// What stands on stdout with --output json: what happens, or what the command was asked for. Then what happens is told
// on stderr.
enum class Prints { events, results };

// Whether a cluster is asked about most of the time.
enum class Meets { nobody, cluster };

struct Command {
  std::string_view name;
  std::string_view group;     // heading on the help page
  std::string_view summary;   // one line, lower-case
  std::string_view examples;  // lines shown below the command's own help
  // Declares the options on the command's parser and returns what to run once they are parsed. Null for a command that
  // only gathers others.
  Action (*declare)(CLI::App& parser) = nullptr;
  // The commands below it, in the order of its help page: `deployctl image inspect`. Null for most.
  std::span<const Command> (*subcommands)() = nullptr;
  Prints prints = Prints::events;
  Meets meets = Meets::nobody;
};

// Every command, in the order of the help page.
std::span<const Command> commands();

// Those below it; empty for most.
inline std::span<const Command> subcommands_of(const Command& command) {
  return command.subcommands == nullptr ? std::span<const Command>() : command.subcommands();
}

}  // namespace deployctl::cli
