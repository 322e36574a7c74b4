// Tasks run one after the other, each beside what is there already: before the rollout of its service, or after it.
#include "core/base/text.hpp"
#include "core/plan/preflight_parts.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::plan {
namespace {

constexpr std::string_view limits_advice = "change 'resources' of the service, or the limits of the namespace";

std::vector<kube::Object> known(const std::optional<std::vector<kube::Object>>& objects) {
  return objects.value_or(std::vector<kube::Object>());
}

bool stays_untouched(const kube::Object& workload, const PreflightFacts& facts) {
  const auto beside = facts.beside.find(workload.name());
  return is_unchanged(workload, facts) || (beside != facts.beside.end() && beside->second.is_side);
}

// Pods of the services that the task comes after: they are there when it begins, and the old ones have gone.
std::vector<Load> loads_before(const Step& task, const std::vector<Load>& loads) {
  std::vector<Load> before;
  for (const auto& load : loads) {
    const auto is_its_end = [&](const std::string& id) {
      return id == "rollout:" + load.service || id == "switch:" + load.service;
    };
    if (std::ranges::any_of(task.after, is_its_end)) {
      before.push_back(load);
      before.back().peak.surge = 0;
    }
  }
  return before;
}

// Empty when there is room.
std::string why_no_room(const Step& step, const RunTask& task, const std::vector<Load>& loads,
                        const PreflightFacts& facts) {
  const auto limit_ranges = known(facts.limit_ranges);
  if (const auto violations = limit_violations(task.job, limit_ranges); !violations.empty()) {
    return violations.front();
  }
  auto there = loads_before(step, loads);
  there.push_back({.object = fmt::format("the task {}", task.task),
                   .need = pod_need(task.job, limit_ranges),
                   .peak = {.growth = 1, .surge = 0, .can_go_down_first = false}});
  if (const auto shortages = quota_shortages(there, known(facts.quotas)); !shortages.empty()) {
    return shortages.front().words;
  }
  const auto room = facts.nodes ? room_on_nodes(there.back().need, *facts.nodes) : NodeRoom();
  return room.fits || room.may_grow
             ? ""
             : fmt::format("no node has room for its pod, even when empty: the largest has {}", room.largest);
}

class Room {
 public:
  Room(const Plan& plan, const PreflightFacts& facts, PreflightReport& report)
      : plan_(plan), facts_(facts), report_(report), loads_(loads_of(plan, facts)) {}

  void run() {
    const auto before = report_.findings.size();
    check_limits();
    check_loads();
    if (report_.findings.size() == before) {
      check_tasks();
    }
  }

 private:
  void find(std::string what, std::string advice) {
    report_.findings.push_back({base::ErrorCode::rollout_failed, std::move(what), std::move(advice)});
  }

  void check_limits() {
    for (const auto* apply : applied_objects(plan_)) {
      if (!is_workload(apply->object) || is_unchanged(apply->object, facts_)) {
        continue;
      }
      for (const auto& violation : limit_violations(apply->object, known(facts_.limit_ranges))) {
        find(fmt::format("{}: {}", kube::to_string(apply->object.key()), violation), std::string(limits_advice));
      }
    }
  }

  void check_loads() {
    bool fits_on_empty_nodes = true;
    for (const auto& load : loads_) {
      fits_on_empty_nodes = check_nodes(load) && fits_on_empty_nodes;
    }
    report_shortages(quota_shortages(loads_, known(facts_.quotas)), "have the quota raised");
    if (facts_.nodes && facts_.pods && fits_on_empty_nodes) {
      report_shortages(shortages_beside(loads_, *facts_.nodes, *facts_.pods), "make room on the nodes");
    }
  }

  void report_shortages(const std::vector<Shortage>& shortages, std::string_view remedy) {
    for (const auto& shortage : shortages) {
      const bool is_growth = shortage.kind == Shortage::Kind::growth;
      find(shortage.words,
           is_growth
               ? fmt::format("ask for less, or {}", remedy)
               : fmt::format("let old pods go first: 'strategy: {{max_surge: 0, max_unavailable: 1}}', or {}", remedy));
    }
  }

  // False when one pod has no room even on an empty node.
  bool check_nodes(const Load& load) {
    if (!facts_.nodes || load.peak.growth + load.peak.surge == 0) {
      return true;
    }
    const auto room = room_on_nodes(load.need, *facts_.nodes);
    if (room.fits) {
      return true;
    }
    const auto what = fmt::format("no node has room for one pod of {}, even when empty: the largest has {}",
                                  load.object, room.largest);
    if (room.may_grow) {
      report_.remarks.push_back(what + "; an autoscaler may bring a larger one");
    } else {
      find(what, "ask for less in 'resources' of the service, or add a larger node");
    }
    return false;
  }

  // What is wrong with the service's own pods is wrong with those of its tasks as well.
  void check_tasks() {
    for (const auto& [id, why] : tasks_without_room(plan_, facts_)) {
      const auto what = fmt::format("{}: {}", title(*std::ranges::find(plan_.steps, id, &Step::id)), why);
      const auto found = facts_.tasks.find(id);
      const auto state = found == facts_.tasks.end() ? TaskState::due : found->second;
      if (state == TaskState::due) {
        find(what, "ask for less in 'resources' of the service, or have the quota or the limits raised");
      } else if (state == TaskState::unknown) {
        report_.remarks.push_back(what);
      }
    }
  }

  const Plan& plan_;
  const PreflightFacts& facts_;
  PreflightReport& report_;
  std::vector<Load> loads_;
};

}  // namespace

std::vector<Load> loads_of(const Plan& plan, const PreflightFacts& facts) {
  const auto limit_ranges = known(facts.limit_ranges);
  std::vector<Load> loads;
  for (const auto* apply : applied_objects(plan)) {
    if (!is_workload(apply->object) || stays_untouched(apply->object, facts)) {
      continue;
    }
    const auto live = facts.deployments.find(apply->object.name());
    loads.push_back({.object = kube::to_string(apply->object.key()),
                     .need = pod_need(apply->object, limit_ranges),
                     .peak = peak_of(apply->object, live == facts.deployments.end() ? nullptr : &live->second),
                     .service = apply->object.name()});
  }
  for (const auto& [service, pods] : facts.beside) {
    loads.push_back({.object = kube::to_string(pods.deployment.key()),
                     .need = pod_need(pods.deployment, limit_ranges),
                     .peak = {.growth = std::max(0, pods.most - pods.there), .surge = 0, .can_go_down_first = false},
                     .service = service});
  }
  return loads;
}

std::map<std::string, std::string> tasks_without_room(const Plan& plan, const PreflightFacts& facts) {
  const auto loads = loads_of(plan, facts);
  std::map<std::string, std::string> tasks;
  for (const auto& step : plan.steps) {
    const auto* task = std::get_if<RunTask>(&step.action);
    if (task == nullptr) {
      continue;
    }
    if (auto why = why_no_room(step, *task, loads, facts); !why.empty()) {
      tasks.emplace(step.id, std::move(why));
    }
  }
  return tasks;
}

void check_room(const Plan& plan, const PreflightFacts& facts, PreflightReport& report) {
  Room(plan, facts, report).run();
}

}  // namespace deployctl::plan
