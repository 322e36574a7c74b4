// Signs of the Deployment, its new replica set and the scheduling of pods.
#include "core/kube/signs.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::kube::verdict {
namespace {

Sign deployment_sign(const Evidence& evidence, std::string_view rule, std::string_view reason, std::string message) {
  return {.rule = rule,
          .object = "deployment/" + evidence.deployment->name,
          .object_uid = evidence.deployment->uid,
          .reason = std::string(reason),
          .message = std::move(message)};
}

// Admission tells in prose. A webhook that cannot be asked is trouble of its own and says "failed calling webhook".
std::string_view rule_for_refused_pods(std::string_view message) {
  if (mentions(message, {"failed calling webhook", "failed to call webhook"})) {
    return "admission-unavailable";
  }
  return mentions(message, {"exceeded quota"}) ? "quota-exceeded" : "pods-refused";
}

// Every new pod that starts takes room an old one has; with nothing leaving, no room will come.
std::string_view quota_rule(const Evidence& evidence) {
  return evidence.old_pods_are_leaving ? "quota-exceeded-for-now" : "quota-exceeded";
}

}  // namespace

std::vector<const Event*> events_about(const Evidence& evidence, std::string_view uid, std::string_view reason,
                                       std::string_view container) {
  std::vector<const Event*> found;
  std::ranges::copy_if(evidence.events, std::back_inserter(found), [&](const Event* event) {
    return event->about_uid == uid && event->reason == reason &&
           (container.empty() || event->container.empty() || event->container == container);
  });
  return found;
}

int total_count(const std::vector<const Event*>& events) {
  int total = 0;
  for (const auto* event : events) {
    total += event->count;
  }
  return total;
}

const Event* newest(const std::vector<const Event*>& events) {
  const auto found = std::ranges::max_element(events, {}, &Event::time);
  return found == events.end() ? nullptr : *found;
}

void add_deployment_signs(const Evidence& evidence, Moment /*now*/, std::vector<Sign>& signs) {
  const auto& deployment = *evidence.deployment;
  const auto status = rollout_status(deployment, evidence.written);
  if (status.phase == RolloutPhase::superseded) {
    signs.push_back(deployment_sign(evidence, "superseded", "Superseded", status.summary));
    return;
  }
  if (status.phase == RolloutPhase::unobserved) {
    auto sign = deployment_sign(evidence, "controller-not-acting", "NotObserved",
                                "the deployment controller has not taken up the change");
    sign.began = evidence.written_at;
    sign.is_usual = true;
    signs.push_back(std::move(sign));
    return;
  }
  if (deployment.is_paused && !evidence.paused_on_purpose) {
    signs.push_back(deployment_sign(evidence, "deployment-paused", "DeploymentPaused", "the deployment is paused"));
  }
  if (const auto* progressing = find_condition(deployment.conditions, "Progressing");
      progressing != nullptr && progressing->reason == "ProgressDeadlineExceeded") {
    signs.push_back(deployment_sign(evidence, "no-progress", progressing->reason, progressing->message));
  }
}

// The condition of the new replica set is asked, not the deployment's, which may speak of an old one.
void add_replica_set_signs(const Evidence& evidence, std::vector<Sign>& signs) {
  const auto* replica_set = evidence.replica_set;
  if (replica_set == nullptr) {
    return;
  }
  const auto* failure = find_condition(replica_set->conditions, "ReplicaFailure");
  const bool is_failing = failure != nullptr && failure->status == "True";
  const auto events = events_about(evidence, replica_set->uid, "FailedCreate");
  if (!is_failing && (events.empty() || !evidence.pods.empty())) {
    return;  // events alone are believed only while no pod has come
  }
  const auto* event = newest(events);
  const auto& message = is_failing ? failure->message : event->message;
  auto rule = rule_for_refused_pods(message);
  signs.push_back({.rule = rule == "quota-exceeded" ? quota_rule(evidence) : rule,
                   .object = "replicaset/" + replica_set->name,
                   .object_uid = replica_set->uid,
                   .reason = is_failing ? failure->reason : event->reason,
                   .message = message,
                   .attempts = std::max(1, total_count(events))});
}

// A Job says nothing of pods that are not let in but in events.
void add_job_signs(const Evidence& evidence, std::vector<Sign>& signs) {
  const auto& job = *evidence.job;
  const auto events = events_about(evidence, job.uid, "FailedCreate");
  if (events.empty() || !evidence.pods.empty()) {
    return;
  }
  const auto* event = newest(events);
  signs.push_back({.rule = rule_for_refused_pods(event->message),
                   .object = "job/" + job.name,
                   .object_uid = job.uid,
                   .reason = event->reason,
                   .message = event->message,
                   .attempts = std::max(1, total_count(events))});
}

void add_scheduling_signs(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs) {
  if (!pod.node.empty()) {
    return;
  }
  const auto* scheduled = find_condition(pod.conditions, "PodScheduled");
  const auto events = events_about(evidence, pod.uid, "FailedScheduling");
  Sign sign{.rule = "unschedulable", .object = "pod/" + pod.name, .object_uid = pod.uid};
  if (scheduled != nullptr && scheduled->status == "False") {
    sign.reason = scheduled->reason;
    sign.message = scheduled->message;
  } else if (const auto* event = newest(events); event != nullptr) {
    sign.reason = event->reason;
    sign.message = event->message;
  } else {
    sign.rule = "scheduler-not-acting";
    sign.reason = "Pending";
    sign.message = "the scheduler has not looked at the pod";
    sign.is_usual = true;
  }
  if (sign.reason == "SchedulingGated") {
    sign.rule = "scheduling-gated";
  } else if (!events_about(evidence, pod.uid, "TriggeredScaleUp").empty()) {
    sign.rule = "unschedulable-scaling-up";
  } else if (!events_about(evidence, pod.uid, "NotTriggerScaleUp").empty()) {
    sign.rule = "unschedulable-no-scale-up";
  }
  signs.push_back(std::move(sign));
}

}  // namespace deployctl::kube::verdict
