#include "cli/commands/commands.hpp"
#include "cli/runtime.hpp"
#include "core/project/schema.hpp"

#include <CLI/CLI.hpp>

namespace deployctl::cli {

Action declare_schema(CLI::App& /*parser*/) {
  return [](Runtime& runtime) {
    runtime.print(project::json_schema());
    return 0;
  };
}

}  // namespace deployctl::cli
