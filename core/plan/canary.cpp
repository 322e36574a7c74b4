#include "core/plan/canary.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace deployctl::plan {
namespace {

const kube::Object* applied_by(const Step& step, const std::string& service) {
  const auto* apply = std::get_if<ApplyObject>(&step.action);
  return apply != nullptr && step.service == service ? &apply->object : nullptr;
}

bool belongs_to_canary(const kube::Object& object) {
  const auto kind = object.kind();
  return kind == "Service" || kind == "Ingress" || kind == "HTTPRoute" || kind == "VirtualService" ||
         kind == "HorizontalPodAutoscaler" || kind == "PodDisruptionBudget";
}

bool comes_after(const Step& step, const std::string& id) {
  return std::ranges::find(step.after, id) != step.after.end();
}

// In an order that respects `after`, otherwise as it was.
std::vector<Step> sorted(std::vector<Step> steps) {
  std::vector<Step> done;
  while (!steps.empty()) {
    const auto is_free = [&](const Step& step) {
      return std::ranges::none_of(steps, [&](const Step& other) { return comes_after(step, other.id); });
    };
    const auto next = std::ranges::find_if(steps, is_free);
    if (next == steps.end()) {
      assert(false && "steps that wait for each other");
      std::ranges::move(steps, std::back_inserter(done));  // what a plan does not have is pruned
      break;
    }
    done.push_back(std::move(*next));
    steps.erase(next);
  }
  return done;
}

}  // namespace

void add_canary(Plan& plan, const std::string& service, const project::Canary& settings) {
  const auto is_deployment = [&](const Step& step) {
    const auto* object = applied_by(step, service);
    return object != nullptr && object->kind() == "Deployment";
  };
  const auto is_rollout = [&](const Step& step) {
    return step.service == service && std::holds_alternative<AwaitRollout>(step.action);
  };
  const auto deployment = std::ranges::find_if(plan.steps, is_deployment);
  const auto rollout = std::ranges::find_if(plan.steps, is_rollout);
  if (deployment == plan.steps.end() || rollout == plan.steps.end()) {
    return;
  }
  Step begin{.id = "canary:" + service,
             .service = service,
             .action = RunCanary{settings, {std::get<ApplyObject>(deployment->action).object}},
             .after = deployment->after,
             .phase = Phase::cluster};
  Step end{.id = "end-canary:" + service,
           .service = service,
           .action = EndCanary{settings, {}},
           .after = {rollout->id},
           .phase = Phase::cluster,
           .after_failure = AfterFailure::is_done};
  const auto rollout_id = rollout->id;
  std::vector<std::string> held;  // steps that now come after the rollout
  for (auto& step : plan.steps) {
    if (const auto* object = applied_by(step, service); object != nullptr && belongs_to_canary(*object)) {
      std::get<RunCanary>(begin.action).objects.push_back(*object);
      held.push_back(step.id);
    }
  }
  for (auto& step : plan.steps) {
    if (std::ranges::find(held, step.id) != held.end()) {
      step.after = {rollout_id};
      step.after_failure = AfterFailure::is_done;
      end.after.push_back(step.id);
    } else if (is_deployment(step)) {
      step.after = {begin.id};
    } else {
      std::ranges::replace(step.after, rollout_id, end.id);
    }
  }
  std::erase_if(begin.after, [&](const std::string& id) { return std::ranges::find(held, id) != held.end(); });
  std::get<EndCanary>(end.action).objects = std::get<RunCanary>(begin.action).objects;
  plan.steps.insert(std::ranges::find_if(plan.steps, is_deployment), std::move(begin));
  plan.steps.push_back(std::move(end));
  plan.steps = sorted(std::move(plan.steps));
}

}  // namespace deployctl::plan
