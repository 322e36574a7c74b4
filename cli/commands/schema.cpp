#include "core/project/schema.hpp"

#include "cli/commands/commands.hpp"
#include "cli/runtime.hpp"
#include "core/json/value.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace deployctl::cli {

Action declare_schema(CLI::App& /*parser*/) {
  return [](Runtime& runtime) {
    runtime.print(json::to_pretty_text(project::schema()));
    return 0;
  };
}

}  // namespace deployctl::cli
