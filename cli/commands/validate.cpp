#include "cli/commands/commands.hpp"
#include "cli/runtime.hpp"
#include "core/json/value.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace deployctl::cli {
namespace {

std::string in_words(const project::Target& target) {
  const auto count = target.services.size();
  return fmt::format("{} is valid: project {}, {} service{}{}\n", target.manifest_name, *target.project, count,
                     count == 1 ? "" : "s",
                     target.environment.empty() ? "" : fmt::format(", environment {}", target.environment));
}

}  // namespace

Action declare_validate(CLI::App& /*parser*/) {
  return [](Runtime& runtime) {
    const auto loaded = runtime.load_target();
    if (!loaded.target) {
      return loaded.failure;
    }
    if (runtime.wants_json()) {
      runtime.print(json::to_compact_text({{"valid", true}, {"project", *loaded.target->project}}) + "\n");
    } else {
      runtime.print(in_words(*loaded.target));
    }
    return 0;
  };
}

}  // namespace deployctl::cli
