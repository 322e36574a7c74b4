#include "cli/version.hpp"

#include "cli/commands/commands.hpp"
#include "cli/runtime.hpp"
#include "core/json/value.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace deployctl::cli {

Action declare_version(CLI::App& /*parser*/) {
  return [](Runtime& runtime) {
    if (runtime.wants_json()) {
      runtime.print(json::to_compact_text({{"version", version()}, {"commit", build_commit()}}) + "\n");
    } else {
      runtime.print(fmt::format("{}\n", version_line()));
    }
    return 0;
  };
}

}  // namespace deployctl::cli
