#include "core/execute/doctor.hpp"

#include "cli/commands/commands.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/base/text.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/json/value.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace deployctl::cli {
namespace {

std::string as_text(const std::vector<execute::Checkup>& checkups) {
  constexpr std::string_view indent = "                ";
  const auto below = [&](const std::string& lines) {
    return base::replace_all(lines, "\n", "\n" + std::string(indent));
  };
  std::string text;
  for (const auto& checkup : checkups) {
    text += fmt::format("{}  {:<10}{}\n", checkup.problem ? "miss" : "ok  ", checkup.part,
                        checkup.problem ? below(base::to_string(*checkup.problem)) : checkup.found);
    if (checkup.problem && !checkup.problem->hint.empty()) {
      text += fmt::format("{}{}\n", indent, below(checkup.problem->hint));
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

base::Status accept_cluster(const project::Target& target, const execute::Ports& ports) {
  if (target.cluster) {
    return base::Error::refused("the project manifest says which cluster it is").at(target.cluster->span);
  }
  const auto client = execute::connect_cluster(target, ports);
  if (!client) {
    return client.error();
  }
  const auto seen = execute::read_identity(**client, ports.stop);
  return seen ? execute::accept_cluster(target, *seen, (*client)->connection(), ports) : base::Status(seen.error());
}

}  // namespace

Action declare_doctor(CLI::App& parser) {
  auto accepts_cluster = std::make_shared<bool>(false);
  parser.add_flag("--accept-cluster", *accepts_cluster,
                  "from now on the environment belongs to the cluster that answers, whatever it was before");
  return [accepts_cluster](Runtime& runtime) {
    const auto loaded = runtime.load_target();
    if (!loaded.target) {
      return loaded.failure;
    }
    if (*accepts_cluster) {
      if (const auto accepted = accept_cluster(*loaded.target, runtime.ports()); !accepted) {
        return runtime.fail(accepted.error());
      }
    }
    const auto checkups = execute::examine(*loaded.target, runtime.ports());
    runtime.print(runtime.wants_json() ? as_json(checkups) : as_text(checkups));
    return exit_code_of(checkups);
  };
}

}  // namespace deployctl::cli
