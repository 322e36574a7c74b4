#include "core/plan/make_way.hpp"

#include "core/json/reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace deployctl::plan {
namespace {

using Steps = std::vector<Step>;
using Place = Steps::iterator;

Place find_step(Steps& steps, std::string_view id) {
  return std::ranges::find_if(steps, [&](const Step& step) { return step.id == id; });
}

Place find_apply(Steps& steps, std::string_view kind, std::string_view name) {
  return std::ranges::find_if(steps, [&](const Step& step) {
    const auto* apply = std::get_if<ApplyObject>(&step.action);
    return apply != nullptr && apply->object.kind() == kind && apply->object.name() == name;
  });
}

bool comes_after(const Step& step, const std::string& id) {
  return std::ranges::find(step.after, id) != step.after.end();
}

bool has_two_sides(Steps& steps, const std::string& service) {
  return find_step(steps, "switch:" + service) != steps.end();
}

bool has_canary(Steps& steps, const std::string& service) {
  return find_step(steps, "canary:" + service) != steps.end();
}

// The step that writes the Service first: with two sides that is the switch.
Place find_first_write(Steps& steps, std::string_view service) {
  const auto apply = find_apply(steps, "Service", service);
  const auto switched = apply == steps.end() ? apply : find_step(steps, "switch:" + apply->service);
  return switched == steps.end() ? apply : switched;
}

// The step that the prune makes way for; the end when it may wait.
Place in_the_way_of(Steps& steps, const kube::ObjectKey& pruned, const MovedPorts& moved) {
  if (pruned.kind == "Service") {
    const auto heir = std::ranges::find_if(moved, [&](const auto& each) { return each.second == pruned; });
    return heir == moved.end() ? steps.end() : find_first_write(steps, heir->first.name);
  }
  // Who has two sides scales the new one, and its autoscaler has the old one until the switch.
  const bool is_autoscaler = pruned.kind == "HorizontalPodAutoscaler" && !has_two_sides(steps, pruned.name);
  return is_autoscaler ? find_apply(steps, "Deployment", pruned.name) : steps.end();
}

bool writes_a_service(const Step& step) {
  const auto* apply = std::get_if<ApplyObject>(&step.action);
  return apply != nullptr && apply->object.kind() == "Service";
}

// Moves the apply of a Service behind the verdict on its pods, and what came after either behind both; answers with
// where it is then. A canary leads requests to some of the pods only, and needs the Service before.
Place behind_its_pods(Steps& steps, Place apply) {
  const auto rollout_id = "rollout:" + apply->service;
  if (has_canary(steps, apply->service) || find_step(steps, rollout_id) == steps.end() ||
      comes_after(*apply, rollout_id)) {
    return apply;
  }
  auto moved = std::move(*apply);
  steps.erase(apply);
  for (auto& step : steps) {
    if (const auto behind = std::ranges::find(step.after, moved.id); behind != step.after.end()) {
      step.after.erase(behind);
      std::ranges::copy_if(moved.after, std::back_inserter(step.after),
                           [&](const std::string& id) { return !comes_after(step, id); });
    }
    if (comes_after(step, rollout_id)) {
      step.after.push_back(moved.id);
    }
  }
  moved.after = {rollout_id};
  return steps.insert(find_step(steps, rollout_id) + 1, std::move(moved));
}

void put_before(Steps& steps, Place apply, Step prune) {
  prune.reason += fmt::format(", and in the way of {}", title(*apply));
  prune.after = std::move(apply->after);
  apply->after = {prune.id};
  steps.insert(apply, std::move(prune));
}

// Whether a step comes after another one, directly or through others.
bool waits_for(Steps& steps, const std::string& id, const std::string& other) {
  std::set<std::string> seen{id};
  for (std::vector<std::string> open{id}; !open.empty();) {
    const auto step = find_step(steps, open.back());
    open.pop_back();
    for (const auto& before : step == steps.end() ? std::vector<std::string>() : step->after) {
      if (before == other) {
        return true;
      }
      if (seen.insert(before).second) {
        open.push_back(before);
      }
    }
  }
  return false;
}

// Each step behind those that it comes after, and otherwise as they stand.
Steps in_order(Steps steps) {
  std::set<std::string> waiting;
  std::ranges::transform(steps, std::inserter(waiting, waiting.end()), &Step::id);
  Steps ordered;
  while (!steps.empty()) {
    const auto next = std::ranges::find_if(steps, [&](const Step& step) {
      return std::ranges::none_of(step.after, [&](const std::string& id) { return waiting.contains(id); });
    });
    const auto taken = next == steps.end() ? steps.begin() : next;
    waiting.erase(taken->id);
    ordered.push_back(std::move(*taken));
    steps.erase(taken);
  }
  return ordered;
}

// False when the one that gives the port up waits for the one that gets it.
bool hand_over(Steps& steps, const kube::ObjectKey& wanted, const kube::ObjectKey& holder) {
  const auto gets = find_first_write(steps, wanted.name);
  const auto gives = find_apply(steps, "Service", holder.name);
  if (gets == steps.end() || gives == steps.end() || comes_after(*gets, gives->id)) {
    return true;
  }
  if (waits_for(steps, gives->id, gets->id)) {
    return false;
  }
  gets->after.push_back(gives->id);
  return true;
}

std::vector<kube::ObjectKey> hand_over_all(Steps& steps, const MovedPorts& moved) {
  std::vector<kube::ObjectKey> blocked;
  for (const auto& [wanted, holder] : moved) {
    if (!hand_over(steps, wanted, holder)) {
      blocked.push_back(wanted);
    }
  }
  steps = in_order(std::move(steps));
  return blocked;
}

std::vector<const kube::Object*> services_in(const Steps& steps) {
  std::vector<const kube::Object*> services;
  for (const auto& step : steps) {
    if (const auto* apply = std::get_if<ApplyObject>(&step.action);
        apply != nullptr && apply->object.kind() == "Service") {
      services.push_back(&apply->object);
    }
  }
  return services;
}

}  // namespace

std::set<long long> node_ports(const kube::Object& service) {
  std::set<long long> ports;
  for (const auto& port : json::Reader(service.body).at("spec", "ports").elements()) {
    if (const auto number = port.at("nodePort").integer()) {
      ports.insert(*number);
    }
  }
  return ports;
}

std::set<long long> node_ports_after(const kube::Object& wanted, const kube::Object& live) {
  const auto spec = json::Reader(wanted.body).at("spec");
  const auto type = spec.at("type").string_or("ClusterIP");
  if (type != "NodePort" && type != "LoadBalancer") {
    return {};
  }
  auto ports = node_ports(wanted);
  if (ports.size() < spec.at("ports").size()) {
    ports.merge(node_ports(live));
  }
  return ports;
}

MovedPorts moved_ports(const Steps& steps, const Steps& before) {
  MovedPorts moved;
  for (const auto* wanted : services_in(steps)) {
    const auto ports = node_ports(*wanted);
    for (const auto* holder : services_in(before)) {
      const auto held = node_ports(*holder);
      const bool is_held = std::ranges::any_of(ports, [&](long long port) { return held.contains(port); });
      if (is_held && holder->key() != wanted->key()) {
        moved.emplace(wanted->key(), holder->key());
      }
    }
  }
  return moved;
}

Steps make_way(Steps& steps, Steps prunes, const MovedPorts& moved) {
  Steps others;
  for (auto& prune : prunes) {
    auto apply = in_the_way_of(steps, std::get<PruneObject>(prune.action).key, moved);
    if (apply == steps.end()) {
      others.push_back(std::move(prune));
      continue;
    }
    if (writes_a_service(*apply)) {
      apply = behind_its_pods(steps, apply);
    }
    put_before(steps, apply, std::move(prune));
  }
  if (!moved.empty()) {
    hand_over_all(steps, moved);
  }
  return others;
}

std::vector<kube::ObjectKey> blocked_handovers(const Steps& steps, const MovedPorts& moved) {
  if (moved.empty()) {
    return {};
  }
  auto ordered = steps;
  return hand_over_all(ordered, moved);
}

}  // namespace deployctl::plan
