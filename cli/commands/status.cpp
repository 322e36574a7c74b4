#include "cli/commands/commands.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "cli/table.hpp"
#include "core/base/duration.hpp"
#include "core/execute/inspect.hpp"
#include "core/plan/release.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

std::string_view state_word(const execute::ServiceStatus& status) {
  if (!status.is_deployed) {
    return "not deployed";
  }
  switch (status.rollout.phase) {
    case kube::RolloutPhase::done:
      return "running";
    case kube::RolloutPhase::paused:
      return "paused";
    default:
      return status.trouble.empty() ? "rolling out" : "in trouble";
  }
}

std::string age_of(const std::string& time, io::WallTime now) {
  const auto then = io::parse_rfc3339(time);
  return then ? base::human_duration(now - *then) : std::string("-");
}

std::string short_image(const std::string& image) {
  const auto digest = image.find("@sha256:");
  return digest == std::string::npos ? image : image.substr(0, digest + 8 + 12);
}

std::string status_table(const std::vector<execute::ServiceStatus>& statuses, io::WallTime now) {
  std::vector<std::vector<std::string>> rows{{"SERVICE", "STATE", "READY", "REVISION", "COMMIT", "AGE", "IMAGE"}};
  for (const auto& status : statuses) {
    if (!status.is_deployed) {
      rows.push_back({status.service, std::string(state_word(status)), "-", "-", "-", "-", "-"});
      continue;
    }
    rows.push_back({status.service, std::string(state_word(status)),
                    fmt::format("{}/{}", status.rollout.ready, status.rollout.desired),
                    status.revision.empty() ? "-" : status.revision,
                    status.commit.empty() ? "-" : status.commit.substr(0, 7), age_of(status.changed, now),
                    short_image(status.image)});
  }
  auto text = table(rows);
  for (const auto& status : statuses) {
    if (!status.trouble.empty()) {
      text += fmt::format("{}: {}\n", status.service, status.trouble);
    }
  }
  return text;
}

json::Value to_json(const execute::ServiceStatus& status) {
  return {{"service", status.service},
          {"state", state_word(status)},
          {"desired", status.rollout.desired},
          {"updated", status.rollout.updated},
          {"ready", status.rollout.ready},
          {"available", status.rollout.available},
          {"image", status.image},
          {"commit", status.commit},
          {"revision", status.revision},
          {"changed", status.changed},
          {"trouble", status.trouble}};
}

std::string status_json(const project::Target& target, const std::vector<execute::ServiceStatus>& statuses) {
  auto services = json::Value::array();
  for (const auto& status : statuses) {
    services.push_back(to_json(status));
  }
  return json::to_pretty_text({{"project", *target.project},
                               {"environment", target.environment},
                               {"namespace", target.name_space},
                               {"services", services}});
}

int show_status(Runtime& runtime, const std::vector<std::string>& names) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto services = plan::chosen_services(*loaded.target, {.services = names});
  if (!services) {
    return runtime.fail(services.error());
  }
  const auto ports = runtime.ports();
  const auto client = execute::connect_cluster(*loaded.target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  const auto statuses = execute::read_status(**client, *loaded.target, *services, ports);
  if (!statuses) {
    return runtime.fail(statuses.error());
  }
  runtime.print(runtime.wants_json() ? status_json(*loaded.target, *statuses)
                                     : status_table(*statuses, ports.clock.now()));
  return 0;
}

}  // namespace

Action declare_status(CLI::App& parser) {
  auto services = std::make_shared<std::vector<std::string>>();
  add_services(parser, *services);
  return [services](Runtime& runtime) { return show_status(runtime, *services); };
}

}  // namespace deployctl::cli
