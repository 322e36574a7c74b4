#include "cli/commands/commands.hpp"
#include "cli/options/common.hpp"
#include "cli/release_text.hpp"
#include "cli/runtime.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/ledger.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace deployctl::cli {
namespace {

constexpr std::size_t widest_outcome = 100;

std::string shortened(const std::string& text) {
  if (text.size() <= widest_outcome) {
    return text;
  }
  return text.substr(0, base::utf8_boundary(text, widest_outcome)) + "…";
}

std::string history_table(const std::vector<kube::ReleaseSummary>& releases, io::WallTime now) {
  std::vector<std::vector<std::string>> rows{{"RELEASE", "STATE", "COMMIT", "TAG", "WHO", "AGE", "WHAT", "OUTCOME"}};
  for (const auto& release : releases) {
    rows.push_back({std::to_string(release.number), std::string(release_state_word(release)),
                    or_dash(brief(release.commit)), or_dash(release.tag), or_dash(release.actor),
                    age_of(release.started, now), or_dash(release.action),
                    or_dash(shortened(what_became_of(release)))});
  }
  return table(rows);
}

std::string history_json(const project::Target& target, const std::vector<kube::ReleaseSummary>& releases) {
  auto listed = json::Value::array();
  for (const auto& release : releases) {
    listed.push_back(release_json(release));
  }
  return json::to_pretty_text({{"project", *target.project},
                               {"environment", target.environment},
                               {"namespace", target.name_space},
                               {"releases", listed}});
}

int show_history(Runtime& runtime) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto& target = *loaded.target;
  const auto ports = runtime.ports();
  const auto client = execute::connect_cluster(target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  if (const auto looked = execute::warn_of_another_cluster(target, **client, ports); !looked) {
    return runtime.fail(looked.error());
  }
  const auto releases =
      execute::Ledger(**client, {*target.project, target.environment, target.name_space}).list(ports.stop);
  if (!releases) {
    return runtime.fail(releases.error());
  }
  if (releases->empty()) {
    runtime.remark(fmt::format("no release of {} is recorded in namespace {} yet", *target.project, target.name_space));
  }
  runtime.print(runtime.wants_json() ? history_json(target, *releases) : history_table(*releases, ports.clock.now()));
  return 0;
}

}  // namespace

Action declare_history(CLI::App& /*parser*/) {
  return [](Runtime& runtime) { return show_history(runtime); };
}

}  // namespace deployctl::cli
