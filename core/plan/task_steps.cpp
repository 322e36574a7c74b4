#include "core/plan/task_steps.hpp"

#include <algorithm>
#include <string_view>

namespace deployctl::plan {
namespace {

using Ids = std::vector<std::string>;
using Place = std::vector<Step>::iterator;

Place find_step(Plan& plan, std::string_view id) {
  return std::ranges::find_if(plan.steps, [&](const Step& step) { return step.id == id; });
}

Place find_workload(Plan& plan, const std::string& service) {
  return std::ranges::find_if(plan.steps, [&](const Step& step) {
    const auto* apply = std::get_if<ApplyObject>(&step.action);
    return apply != nullptr && step.service == service && apply->object.kind() == "Deployment";
  });
}

// A task needs nothing that leads to the pods, and a canary holds that back until they are rolled out.
bool is_address(Plan& plan, const std::string& id) {
  const auto step = find_step(plan, id);
  const auto* apply = step == plan.steps.end() ? nullptr : std::get_if<ApplyObject>(&step->action);
  return apply != nullptr && apply->object.kind() == "Service";
}

// One after the other, from `place` on; answers with what comes after the last one.
Ids insert_tasks(Plan& plan, Place place, const std::string& service, const std::vector<RunTask>& tasks, Step like) {
  for (const auto& task : tasks) {
    like.id = "task:" + service + "/" + task.task;
    like.service = service;
    like.action = task;
    like.phase = Phase::cluster;
    place = plan.steps.insert(place, like) + 1;
    like.after = {like.id};
  }
  return like.after;
}

}  // namespace

void add_tasks(Plan& plan, const std::string& service, const ServiceTasks& tasks) {
  const auto workload = find_workload(plan, service);
  if (workload == plan.steps.end()) {
    return;
  }
  const auto workload_id = workload->id;
  auto configured = workload->after;
  std::erase_if(configured, [&](const std::string& id) { return is_address(plan, id); });
  const auto prepared =
      insert_tasks(plan, workload, service, tasks.before, {.reason = "before the rollout", .after = configured});
  if (!tasks.before.empty()) {
    auto& after = find_step(plan, workload_id)->after;
    after.insert(after.end(), prepared.begin(), prepared.end());
  }
  auto last = find_step(plan, "switch:" + service);
  last = last == plan.steps.end() ? find_step(plan, "rollout:" + service) : last;
  if (last == plan.steps.end() || tasks.after.empty()) {
    return;
  }
  const auto last_id = last->id;
  const auto ended =
      insert_tasks(plan, last + 1, service, tasks.after,
                   {.reason = "after the rollout", .after = {last_id}, .after_failure = AfterFailure::is_done});
  for (auto& step : plan.steps) {
    if (step.service != service && std::ranges::find(step.after, last_id) != step.after.end()) {
      step.after.insert(step.after.end(), ended.begin(), ended.end());
    }
  }
}

void add_contracts(Plan& plan, const std::string& service, const ServiceTasks& tasks) {
  Ids all;
  for (const auto& step : plan.steps) {
    all.push_back(step.id);
  }
  insert_tasks(plan, plan.steps.end(), service, tasks.contracts,
               {.reason = "when the old pods are gone; no way back behind it", .after = std::move(all)});
}

}  // namespace deployctl::plan
