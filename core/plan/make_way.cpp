#include "core/plan/make_way.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::plan {
namespace {

using Place = std::vector<Step>::iterator;

Place find_step(std::vector<Step>& steps, std::string_view id) {
  return std::ranges::find_if(steps, [&](const Step& step) { return step.id == id; });
}

// Who has two sides scales the new one, and its autoscaler has the old one until the switch.
bool has_two_sides(std::vector<Step>& steps, const std::string& service) {
  return find_step(steps, "switch:" + service) != steps.end();
}

// The apply that the prune makes way for; the end when it may wait.
Place in_the_way_of(std::vector<Step>& steps, const kube::ObjectKey& pruned) {
  if (pruned.kind != "HorizontalPodAutoscaler" || has_two_sides(steps, pruned.name)) {
    return steps.end();
  }
  return std::ranges::find_if(steps, [&](const Step& step) {
    const auto* apply = std::get_if<ApplyObject>(&step.action);
    return apply != nullptr && apply->object.kind() == "Deployment" && apply->object.name() == pruned.name;
  });
}

void put_before(std::vector<Step>& steps, Place apply, Step prune) {
  prune.reason += fmt::format(", and in the way of {}", title(*apply));
  prune.after = std::move(apply->after);
  apply->after = {prune.id};
  steps.insert(apply, std::move(prune));
}

}  // namespace

std::vector<Step> make_way(std::vector<Step>& steps, std::vector<Step> prunes) {
  std::vector<Step> others;
  for (auto& prune : prunes) {
    const auto apply = in_the_way_of(steps, std::get<PruneObject>(prune.action).key);
    if (apply == steps.end()) {
      others.push_back(std::move(prune));
    } else {
      put_before(steps, apply, std::move(prune));
    }
  }
  return others;
}

}  // namespace deployctl::plan
