#include "core/execute/addresses.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/execute/find.hpp"
#include "core/json/reader.hpp"
#include "core/kube/pod.hpp"
#include "core/kube/resource.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::execute {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

// The endpoints controller follows within a second.
constexpr std::chrono::milliseconds time_for_endpoints{15'000};
constexpr std::chrono::milliseconds between_looks{200};

std::string selector_of(const kube::Object& service) {
  std::vector<std::string> terms;
  for (const auto& [name, value] : json::Reader(service.body).at("spec", "selector").members()) {
    terms.push_back(name + "=" + value.string_or());
  }
  return base::join(terms, ",");
}

// Those that the Service selects.
Result<std::vector<kube::Object>> ready_pods(cluster::Client& client, const kube::Object& service,
                                             std::stop_token stop) {
  auto pods = client.list({.resource = kube::resource_of("Pod"),
                           .name_space = service.name_space(),
                           .label_selector = selector_of(service)},
                          std::move(stop));
  if (!pods) {
    return pods.error();
  }
  std::erase_if(pods->items, [](const kube::Object& each) {
    const auto pod = kube::Pod::from_json(each.body);
    return pod.is_terminating || !pod.is_ready();
  });
  return std::move(pods->items);
}

bool leads_to_a_pod(const kube::Object& endpoints) {
  return std::ranges::any_of(json::Reader(endpoints.body).at("subsets").elements(),
                             [](const json::Reader& subset) { return subset.at("addresses").size() > 0; });
}

}  // namespace

Addresses::Addresses(const std::vector<plan::Step>& steps, cluster::Client* client, const Ports& ports)
    : client_(client), ports_(ports) {
  for (const auto& step : steps) {
    auto& state = states_[step.service];
    state.is_watched |= std::holds_alternative<plan::AwaitRollout>(step.action);
    state.has_canary |= std::holds_alternative<plan::RunCanary>(step.action);
    state.has_two_sides |= std::holds_alternative<plan::SwitchTraffic>(step.action);
    const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
    if (apply != nullptr && apply->object.kind() == "Deployment") {
      state.deployment = apply->object;
    } else if (apply != nullptr && apply->object.kind() == "Service") {
      state.service = apply->object;
      state.is_unchanged = step.change == plan::Change::none || step.change == plan::Change::create;
    }
  }
}

Result<std::optional<kube::Object>> Addresses::at_first(const plan::Step& step, const kube::Object& service) {
  auto& state = states_.at(step.service);
  if (!state.may_change() || state.has_canary) {
    return std::optional(service);
  }
  auto change = look(state);
  if (!change) {
    return change.error();
  }
  if (change->can_be_at_once) {
    return std::optional(service);
  }
  {
    const std::lock_guard lock(mutex_);
    state.waiting.push_back({&step, service});
    state.keeps_ports = change->keeps_ports;
  }
  const auto name = kube::to_string(service.key());
  if (!change->meanwhile && change->misses_new_pods) {
    ports_.events.emit(events::Note{
        events::Note::Level::warning,
        fmt::format("{} has other ports once the new pods are ready: until then only the old ones get requests, and "
                    "when the last of them goes, none does for a moment ('strategy: blue-green' avoids it)",
                    name)});
  } else {
    ports_.events.emit(events::Note{events::Note::Level::info,
                                    fmt::format("{} gets its new ports once the new pods are ready", name)});
  }
  return std::move(change->meanwhile);
}

Result<std::optional<kube::Object>> Addresses::before_pods(const std::string& service) {
  const auto& state = states_.at(service);
  if (!state.may_change() || !state.has_canary) {
    return std::optional<kube::Object>();
  }
  auto change = look(state);
  if (!change) {
    return change.error();
  }
  return change->misses_new_pods ? std::move(change->meanwhile) : std::optional<kube::Object>();
}

bool Addresses::holds(const plan::Step& step, const kube::Object& object) {
  const auto kind = object.kind();
  if (kind != "Ingress" && kind != "HTTPRoute" && kind != "VirtualService") {
    return false;
  }
  const std::lock_guard lock(mutex_);
  auto& state = states_.at(step.service);
  if (state.waiting.empty() || !state.keeps_ports) {
    return false;
  }
  state.waiting.push_back({&step, object});
  return true;
}

std::vector<Addresses::Waiting> Addresses::take_waiting(const std::string& service) {
  const std::lock_guard lock(mutex_);
  return std::exchange(states_.at(service).waiting, {});
}

Status Addresses::lead_to_pods() {
  const auto end = ports_.clock.steady_now() + time_for_endpoints;
  while (true) {
    const auto missing = without_pods();
    if (!missing) {
      return missing.error().code == ErrorCode::unauthorized ? Status() : missing.error();
    }
    if (missing->empty()) {
      return {};
    }
    if (ports_.clock.steady_now() >= end) {
      return base::Error::make(ErrorCode::rollout_undecided, "{} leads to no pod after {}, and there are ready ones",
                               kube::to_string(missing->front()->key()), base::to_string(time_for_endpoints))
          .with_hint("look at its selector and at kube-controller-manager: 'kubectl describe service {} -n {}'",
                     missing->front()->name(), missing->front()->name_space());
    }
    if (!ports_.clock.sleep_for(between_looks, ports_.stop)) {
      return base::Error::interrupted();
    }
  }
}

// Those of them that have ready pods to lead to.
Result<std::vector<const kube::Object*>> Addresses::without_pods() {
  std::map<std::string, const kube::Object*> missing;
  for (const auto& [name, state] : states_) {
    if (state.service && state.is_watched && !selector_of(*state.service).empty()) {
      missing[state.service->name()] = &*state.service;
    }
  }
  std::vector<const kube::Object*> found;
  if (missing.empty()) {
    return found;
  }
  const auto endpoints = client_->list(
      {.resource = kube::resource_of("Endpoints"), .name_space = missing.begin()->second->name_space()}, ports_.stop);
  if (!endpoints) {
    return endpoints.error();
  }
  for (const auto& each : endpoints->items) {
    if (leads_to_a_pod(each)) {
      missing.erase(each.name());
    }
  }
  for (const auto& [name, service] : missing) {
    const auto misses = misses_ready_pods(*service);
    if (!misses) {
      return misses.error();
    }
    if (*misses) {
      found.push_back(service);
    }
  }
  return found;
}

Result<bool> Addresses::misses_ready_pods(const kube::Object& service) {
  const auto live = find_object(*client_, service.key(), ports_.stop);
  if (!live) {
    return live.error();
  }
  if (!*live) {
    return base::Error::make(ErrorCode::rollout_failed, "somebody has deleted {} during the rollout",
                             kube::to_string(service.key()))
        .with_hint("'deployctl rollout' makes it again");
  }
  const auto pods = ready_pods(*client_, service, ports_.stop);
  return pods ? Result<bool>(!pods->empty()) : pods.error();
}

Result<kube::AddressChange> Addresses::look(const State& state) {
  const auto live = find_object(*client_, state.service->key(), ports_.stop);
  if (!live) {
    return live.error();
  }
  if (!*live || selector_of(**live).empty()) {
    return kube::AddressChange();
  }
  const auto pods = ready_pods(*client_, **live, ports_.stop);
  return pods ? kube::address_change(**live, *state.service, *state.deployment, *pods)
              : Result<kube::AddressChange>(pods.error());
}

}  // namespace deployctl::execute
