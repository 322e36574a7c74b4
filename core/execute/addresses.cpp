#include "core/execute/addresses.hpp"

#include "core/base/duration.hpp"
#include "core/execute/find.hpp"
#include "core/json/reader.hpp"
#include "core/kube/pod.hpp"
#include "core/kube/resource.hpp"
#include "core/kube/selector.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::execute {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

// The endpoints controller follows within a second.
constexpr std::chrono::milliseconds time_for_endpoints{15'000};
constexpr std::chrono::milliseconds between_looks{100};

// Those that the Service selects.
Result<std::vector<kube::Object>> ready_pods(cluster::Client& client, const kube::Object& service,
                                             std::stop_token stop) {
  auto pods = client.list({.resource = kube::resource_of("Pod"),
                           .name_space = service.name_space(),
                           .label_selector = kube::to_query(kube::selector_of(service))},
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

bool names_a_pod(const kube::Object& endpoints) {
  return std::ranges::any_of(json::Reader(endpoints.body).at("subsets").elements(),
                             [](const json::Reader& subset) { return subset.at("addresses").size() > 0; });
}

}  // namespace

Addresses::Addresses(const std::vector<plan::Step>& steps, cluster::Client* client, const Ports& ports)
    : client_(client), ports_(ports) {
  for (const auto& step : steps) {
    auto& state = states_[step.service];
    if (std::holds_alternative<plan::AwaitRollout>(step.action)) {
      state.is_watched = true;
      state.comes_first = state.service.has_value();
    }
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
    if (state.is_decided) {
      return std::optional(service);
    }
    state.waiting.push_back({&step, service});
    state.keeps_ports = change->keeps_ports;
  }
  tell(service, *change);
  return std::move(change->meanwhile);
}

void Addresses::tell(const kube::Object& service, const kube::AddressChange& change) {
  const auto name = kube::to_string(service.key());
  if (!change.meanwhile && change.misses_new_pods) {
    ports_.events.emit(events::Note{
        events::Note::Level::warning,
        fmt::format("{} cannot lead to old and new pods at the same time: it gets its new ports once the new pods are "
                    "ready, and until then some requests may be refused ('strategy: blue-green' avoids it)",
                    name)});
  } else {
    ports_.events.emit(
        events::Note{events::Note::Level::info, fmt::format("{} is changed once the new pods are ready", name)});
  }
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
  if (change->can_be_at_once || !change->misses_new_pods) {
    return std::optional<kube::Object>();
  }
  if (!change->keeps_ports) {
    change->meanwhile.reset();
  }
  tell(*state.service, *change);
  return std::move(change->meanwhile);
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
  auto& state = states_.at(service);
  state.is_decided = true;
  return std::exchange(state.waiting, {});
}

void Addresses::put_back(const std::string& service, std::vector<Waiting> waiting) {
  const std::lock_guard lock(mutex_);
  states_.at(service).waiting = std::move(waiting);
}

bool Addresses::comes_after_its_pods(const std::string& service) {
  const std::lock_guard lock(mutex_);
  const auto& state = states_.at(service);
  return state.is_decided && !state.comes_first;
}

std::vector<Addresses::Waiting> Addresses::left_waiting() {
  const std::lock_guard lock(mutex_);
  std::vector<Waiting> left;
  for (const auto& [name, state] : states_) {
    left.insert(left.end(), state.waiting.begin(), state.waiting.end());
  }
  return left;
}

Result<bool> Addresses::leads_to_pods(const std::string& name) {
  const auto& state = states_.at(name);
  if (!state.service || state.has_two_sides || kube::selector_of(*state.service).empty()) {
    return true;
  }
  const auto& service = *state.service;
  auto key = service.key();
  key.kind = "Endpoints";
  const auto endpoints = find_object(*client_, key, ports_.stop);
  if (!endpoints && endpoints.error().code == ErrorCode::unauthorized) {
    return true;
  }
  if (!endpoints || (*endpoints && names_a_pod(**endpoints))) {
    return endpoints ? Result<bool>(true) : endpoints.error();
  }
  const auto live = find_object(*client_, service.key(), ports_.stop);
  if (!live) {
    return live.error();
  }
  if (!*live) {
    return base::Error::make(ErrorCode::rollout_failed, "somebody has deleted {} during the rollout",
                             kube::to_string(service.key()))
        .with_hint("'deployctl rollout' makes it again");
  }
  if (kube::selector_of(**live).empty()) {
    return false;
  }
  const auto pods = ready_pods(*client_, **live, ports_.stop);
  return pods ? Result<bool>(pods->empty()) : pods.error();
}

Status Addresses::await_pods(const std::string& name) {
  const auto end = ports_.clock.steady_now() + time_for_endpoints;
  while (true) {
    const auto leads = leads_to_pods(name);
    if (!leads || *leads) {
      return leads ? Status() : leads.error();
    }
    if (ports_.clock.steady_now() >= end) {
      const auto& service = *states_.at(name).service;
      return base::Error::make(ErrorCode::rollout_undecided, "{} leads to no pod after {}, and there are ready ones",
                               kube::to_string(service.key()), base::to_string(time_for_endpoints))
          .with_hint("look at its selector and at kube-controller-manager: 'kubectl describe service {} -n {}'",
                     service.name(), service.name_space());
    }
    if (!ports_.clock.sleep_for(between_looks, ports_.stop)) {
      return base::Error::interrupted();
    }
  }
}

Result<kube::AddressChange> Addresses::look(const State& state) {
  const auto live = find_object(*client_, state.service->key(), ports_.stop);
  if (!live) {
    return live.error();
  }
  if (!*live || kube::selector_of(**live).empty() || kube::leads_the_same(**live, *state.service)) {
    return kube::AddressChange();
  }
  const auto pods = ready_pods(*client_, **live, ports_.stop);
  return pods ? kube::address_change(**live, *state.service, *state.deployment, *pods)
              : Result<kube::AddressChange>(pods.error());
}

}  // namespace deployctl::execute
