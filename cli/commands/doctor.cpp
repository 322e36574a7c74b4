#include "core/execute/doctor.hpp"

#include "cli/commands/commands.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/json/value.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::cli {
namespace {

std::string as_text(const std::vector<execute::Checkup>& checkups) {
  std::string text;
  for (const auto& checkup : checkups) {
    text += fmt::format("{}  {:<10}{}\n", checkup.problem ? "miss" : "ok  ", checkup.part,
                        checkup.problem ? base::to_string(*checkup.problem) : checkup.found);
    if (checkup.problem && !checkup.problem->hint.empty()) {
      text += fmt::format("                {}\n", checkup.problem->hint);
    }
  }
  return text;
}

std::string as_json(const std::vector<execute::Checkup>& checkups) {
  auto parts = json::Value::array();
  for (const auto& checkup : checkups) {
    parts.push_back({{"part", checkup.part},
                     {"ok", !checkup.problem},
                     {"found", checkup.found},
                     {"problem", checkup.problem ? base::to_string(*checkup.problem) : ""},
                     {"hint", checkup.problem ? checkup.problem->hint : ""}});
  }
  return json::to_pretty_text({{"deployctl", version()}, {"parts", parts}});
}

// The exit code of the first miss, so that scripts can tell "not there" from "not permitted".
int exit_code_of(const std::vector<execute::Checkup>& checkups) {
  const auto miss =
      std::ranges::find_if(checkups, [](const execute::Checkup& checkup) { return checkup.problem.has_value(); });
  return miss == checkups.end() ? 0 : base::exit_code(miss->problem->code);
}

}  // namespace

Action declare_doctor(CLI::App& /*parser*/) {
  return [](Runtime& runtime) {
    const auto loaded = runtime.load_target();
    if (!loaded.target) {
      return loaded.failure;
    }
    const auto checkups = execute::examine(*loaded.target, runtime.ports());
    runtime.print(runtime.wants_json() ? as_json(checkups) : as_text(checkups));
    return exit_code_of(checkups);
  };
}

}  // namespace deployctl::cli
