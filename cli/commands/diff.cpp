#include "cli/commands/commands.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "cli/table.hpp"
#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/execute/drift.hpp"
#include "core/json/value.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace deployctl::cli {
namespace {

using execute::Difference;

constexpr std::size_t longest_value = 60;  // in the table

std::string_view word_for(Difference::Kind kind) {
  switch (kind) {
    case Difference::Kind::changed:
      return "changed";
    case Difference::Kind::missing:
      return "missing";
    case Difference::Kind::added:
      return "added";
    case Difference::Kind::extra:
      return "extra";
  }
  return "";
}

std::string cell(const std::string& text) {
  const auto shown = text.empty() ? std::string("-") : base::printable(text);
  return shown.size() > longest_value ? shown.substr(0, base::utf8_boundary(shown, longest_value)) + "…" : shown;
}

std::string changed_by(const Difference& difference, io::WallTime now) {
  if (difference.manager.empty()) {
    return "-";
  }
  const auto then = io::parse_rfc3339(difference.time);
  return then ? fmt::format("{}, {} ago", base::printable(difference.manager), base::human_duration(now - *then))
              : base::printable(difference.manager);
}

std::string as_text(const std::vector<Difference>& differences, io::WallTime now) {
  std::vector<std::vector<std::string>> rows{{"OBJECT", "FIELD", "IS", "LIVE", "WANTED", "CHANGED BY"}};
  for (const auto& each : differences) {
    rows.push_back({each.object, each.field.empty() ? "(all of it)" : each.field, std::string(word_for(each.kind)),
                    cell(each.live), cell(each.wanted), changed_by(each, now)});
  }
  return table(rows);
}

std::string as_json(const project::Target& target, const execute::Drift& drift) {
  auto list = json::Value::array();
  for (const auto& each : drift.differences) {
    list.push_back({{"kind", word_for(each.kind)},
                    {"service", each.service},
                    {"object", each.object},
                    {"field", each.field},
                    {"live", each.live},
                    {"wanted", each.wanted},
                    {"manager", each.manager},
                    {"time", each.time}});
  }
  auto removals = json::Value::array();
  for (const auto& each : drift.removals) {
    removals.push_back({{"object", each.object}, {"command", each.command}, {"replaces_pods", each.replaces_pods}});
  }
  return json::to_pretty_text({{"project", *target.project},
                               {"environment", target.environment},
                               {"namespace", target.name_space},
                               {"differences", list},
                               {"removals", removals},
                               {"open", drift.open}});
}

bool is_of_somebody_else(const Difference& difference) {
  return difference.kind == Difference::Kind::changed && !difference.manager.empty() &&
         difference.manager != cluster::field_manager;
}

// What makes the differences go, as long as nothing is open: a rollout would take that back first.
std::string way_on(const execute::Drift& drift) {
  if (!drift.open.empty()) {
    return fmt::format("not told is what is open ({}): 'deployctl promote' or 'deployctl abort' comes first",
                       base::printable(drift.open));
  }
  std::string text = "'deployctl rollout' makes what is changed or missing as it is wanted";
  if (std::ranges::any_of(drift.differences, is_of_somebody_else)) {
    text += ", with '--take-over' also what somebody else has changed";
  }
  return text;
}

int show_differences(Runtime& runtime, const std::vector<std::string>& services) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto ports = runtime.ports();
  const auto drift = execute::find_differences(*loaded.target, services, ports);
  if (!drift) {
    return runtime.fail(drift.error());
  }
  const auto& differences = drift->differences;
  if (runtime.wants_json()) {
    runtime.print(as_json(*loaded.target, *drift));
  } else if (!differences.empty() || !drift->open.empty()) {
    runtime.print(differences.empty() ? std::string() : as_text(differences, ports.clock.now()));
    runtime.remark(
        fmt::format("{} difference{}; {}", differences.size(), differences.size() == 1 ? "" : "s", way_on(*drift)));
    for (const auto& removal : drift->removals) {
      runtime.remark(fmt::format("what was added to {} stays until somebody takes it out: {}{}", removal.object,
                                 removal.command, removal.replaces_pods ? "  # replaces the pods" : ""));
    }
  }
  if (differences.empty()) {
    return 0;
  }
  return base::exit_code(base::ErrorCode::differences);
}

}  // namespace

Action declare_diff(CLI::App& parser) {
  auto services = std::make_shared<std::vector<std::string>>();
  add_services(parser, *services);
  return [services](Runtime& runtime) { return show_differences(runtime, *services); };
}

}  // namespace deployctl::cli
