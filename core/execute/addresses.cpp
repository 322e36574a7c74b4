#include "core/execute/addresses.hpp"

#include "core/base/text.hpp"
#include "core/execute/find.hpp"
#include "core/json/reader.hpp"
#include "core/kube/pod.hpp"
#include "core/kube/resource.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::execute {
namespace {

using base::Result;

std::string selector_of(const kube::Object& service) {
  std::vector<std::string> terms;
  for (const auto& [name, value] : json::Reader(service.body).at("spec", "selector").members()) {
    terms.push_back(name + "=" + value.string_or());
  }
  return base::join(terms, ",");
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

Result<kube::AddressChange> Addresses::look(const State& state) {
  const auto live = find_object(*client_, state.service->key(), ports_.stop);
  if (!live) {
    return live.error();
  }
  const auto selector = *live ? selector_of(**live) : std::string();
  if (selector.empty()) {
    return kube::AddressChange();
  }
  auto pods = client_->list(
      {.resource = kube::resource_of("Pod"), .name_space = state.service->name_space(), .label_selector = selector},
      ports_.stop);
  if (!pods) {
    return pods.error();
  }
  std::erase_if(pods->items, [](const kube::Object& each) {
    const auto pod = kube::Pod::from_json(each.body);
    return pod.is_terminating || !pod.is_ready();
  });
  return kube::address_change(**live, *state.service, *state.deployment, pods->items);
}

}  // namespace deployctl::execute
