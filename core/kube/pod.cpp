#include "core/kube/pod.hpp"

#include "core/base/quantity.hpp"
#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/kube/decode.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::kube {
namespace {

Termination read_termination(json::Reader terminated) {
  return {.exit_code = static_cast<int>(terminated.at("exitCode").integer_or()),
          .reason = terminated.at("reason").string_or(),
          .message = terminated.at("message").string_or(),
          .finished = terminated.at("finishedAt").string_or()};
}

std::optional<Termination> termination_in(json::Reader state) {
  const auto terminated = state.at("terminated");
  return terminated.is_object() ? std::optional(read_termination(terminated)) : std::nullopt;
}

void read_state(json::Reader status, Container& container) {
  const auto state = status.at("state");
  container.termination = termination_in(state);
  container.last_termination = termination_in(status.at("lastState"));
  if (container.termination) {
    container.state = Container::State::terminated;
  } else if (state.at("running").is_object()) {
    container.state = Container::State::running;
    container.started_at = state.at("running", "startedAt").string_or();
  } else {
    container.waiting_reason = state.at("waiting", "reason").string_or();
    container.waiting_message = state.at("waiting", "message").string_or();
  }
  container.restarts = static_cast<int>(status.at("restartCount").integer_or());
  container.is_ready = status.at("ready").boolean_or();
  container.is_started = status.at("started").boolean_or();
}

// How long a probe may fail by its own settings before it has its effect (defaults of the Kubernetes API reference,
// "Probe").
std::chrono::seconds failure_time(json::Reader probe) {
  if (!probe.is_object()) {
    return std::chrono::seconds(0);
  }
  return std::chrono::seconds(probe.at("initialDelaySeconds").integer_or(0) +
                              probe.at("failureThreshold").integer_or(3) * probe.at("periodSeconds").integer_or(10));
}

std::string read_ended_by(json::Reader spec) {
  if (spec.at("lifecycle", "postStart").is_object()) {
    return "its postStart hook";
  }
  const bool may_be_killed = spec.at("livenessProbe").is_object() || spec.at("startupProbe").is_object();
  return may_be_killed ? "its liveness or startup probe" : "";
}

Container read_spec(json::Reader spec, Container::Role role) {
  Container container{.name = spec.at("name").string_or(), .image = spec.at("image").string_or(), .role = role};
  if (role == Container::Role::init && spec.at("restartPolicy").string_or() == "Always") {
    container.role = Container::Role::sidecar;
  }
  container.has_readiness_probe = spec.at("readinessProbe").is_object();
  container.readiness_budget = failure_time(spec.at("readinessProbe")) + failure_time(spec.at("startupProbe"));
  const auto limit = base::Quantity::parse(spec.at("resources", "limits", "memory").string_or("0"));
  container.memory_limit = limit ? limit->units() : 0;
  container.ended_by = read_ended_by(spec);
  return container;
}

// `list` is the member of the status, "initContainerStatuses".
void read_containers(json::Reader specs, json::Reader status_of_pod, std::string_view list, Container::Role role,
                     std::vector<Container>& into) {
  const auto all_statuses = status_of_pod.at(list).elements();
  for (const auto& spec : specs.elements()) {
    auto container = read_spec(spec, role);
    container.statuses = list;
    for (const auto& status : all_statuses) {
      if (status.at("name").string_or() == container.name) {
        read_state(status, container);
      }
    }
    into.push_back(std::move(container));
  }
}

// "cpu 500m, memory 1Gi", of several containers joined by "+".
std::string read_requests(json::Reader containers) {
  std::vector<std::string> of_each;
  for (const auto& container : containers.elements()) {
    std::vector<std::string> parts;
    for (const auto& [name, amount] : container.at("resources", "requests").members()) {
      parts.push_back(fmt::format("{} {}", name, amount.string_or()));
    }
    if (!parts.empty()) {
      of_each.push_back(base::join(parts, ", "));
    }
  }
  return base::join(of_each, " + ");
}

std::vector<std::string> read_each(json::Reader list, std::initializer_list<std::string_view> path) {
  std::vector<std::string> found;
  for (auto element : list.elements()) {
    for (const auto key : path) {
      element = element.at(key);
    }
    if (const auto text = element.string()) {
      found.emplace_back(*text);
    }
  }
  return found;
}

// "spec.containers{api}" is "api".
std::string container_in(std::string_view field_path) {
  const auto open = field_path.find('{');
  const auto close = field_path.rfind('}');
  return open == std::string_view::npos || close == std::string_view::npos || close < open
             ? std::string()
             : std::string(field_path.substr(open + 1, close - open - 1));
}

}  // namespace

int Container::exits() const {
  return restarts + (latest_exit() != nullptr && state != State::running ? 1 : 0);
}

const Termination* Container::latest_exit() const {
  if (termination) {
    return &*termination;
  }
  return last_termination ? &*last_termination : nullptr;
}

bool Pod::has_ended() const {
  if (phase == "Succeeded" || phase == "Failed") {
    return true;
  }
  const auto may_run = [](const Container& each) {
    return each.role != Container::Role::init && each.state != Container::State::terminated;
  };
  return is_terminating && !containers.empty() && std::ranges::none_of(containers, may_run);
}

bool Pod::is_ready() const {
  const auto* ready = find_condition(conditions, "Ready");
  return ready != nullptr && ready->status == "True";
}

Pod Pod::from_json(const json::Value& body) {
  const json::Reader root(body);
  const auto metadata = root.at("metadata");
  const auto spec = root.at("spec");
  const auto status = root.at("status");
  Pod pod{.name = metadata.at("name").string_or(),
          .uid = metadata.at("uid").string_or(),
          .resource_version = metadata.at("resourceVersion").string_or(),
          .owner_uid = controller_uid(metadata),
          .node = spec.at("nodeName").string_or(),
          .phase = status.at("phase").string_or(),
          .reason = status.at("reason").string_or(),
          .message = status.at("message").string_or(),
          .created = metadata.at("creationTimestamp").string_or(),
          .is_terminating = metadata.at("deletionTimestamp").string().has_value(),
          .nominated_node = status.at("nominatedNodeName").string_or(),
          .requests = {},
          .containers = {},
          .conditions = read_conditions(status.at("conditions")),
          .claims = read_each(spec.at("volumes"), {"persistentVolumeClaim", "claimName"}),
          .readiness_gates = read_each(spec.at("readinessGates"), {"conditionType"})};
  if (pod.node.empty()) {
    pod.requests = read_requests(spec.at("containers"));
  }
  read_containers(spec.at("initContainers"), status, "initContainerStatuses", Container::Role::init, pod.containers);
  const auto restart_policy = spec.at("restartPolicy").string_or("Always");
  read_containers(spec.at("containers"), status, "containerStatuses",
                  restart_policy == "Always" ? Container::Role::main : Container::Role::init, pod.containers);
  return pod;
}

Event Event::from_json(const json::Value& body) {
  const json::Reader root(body);
  const auto about = root.at("involvedObject");
  const auto series = root.at("series");
  const long long count = std::max(root.at("count").integer_or(1), series.at("count").integer_or(1));
  return {.uid = root.at("metadata", "uid").string_or(),
          .about_uid = about.at("uid").string_or(),
          .about_kind = about.at("kind").string_or(),
          .about_name = about.at("name").string_or(),
          .container = container_in(about.at("fieldPath").string_or()),
          .reason = root.at("reason").string_or(),
          .message = root.at("message").string_or(),
          .is_warning = root.at("type").string_or() == "Warning",
          .count = static_cast<int>(std::max(1LL, count)),
          .time = std::max({series.at("lastObservedTime").string_or(), root.at("lastTimestamp").string_or(),
                            root.at("eventTime").string_or(), root.at("metadata", "creationTimestamp").string_or()})};
}

}  // namespace deployctl::kube
