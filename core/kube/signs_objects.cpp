// Signs of the Deployment and its new replica set, and what all signs are made with.
#include "core/io/clock.hpp"
#include "core/kube/signs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace deployctl::kube::verdict {
namespace {

Sign deployment_sign(const Evidence& evidence, std::string_view rule, std::string_view field, std::string_view reason,
                     std::string message) {
  return {.rule = rule,
          .object = "deployment/" + evidence.deployment->name,
          .object_uid = evidence.deployment->uid,
          .field = std::string(field),
          .reason = std::string(reason),
          .message = std::move(message)};
}

constexpr std::chrono::seconds usual_time_for_room{20};  // that of the rule

struct Refusal {
  std::string_view rule;
  std::array<std::string_view, 5> words;
};

// Admission tells in prose; the more telling words first. A webhook that cannot be asked is trouble of its own. The
// account "default" of a new namespace comes a moment after it, or when the controllers are up again.
constexpr auto refusals = std::to_array<Refusal>({
    {"admission-unavailable", {"failed calling webhook", "failed to call webhook"}},
    {"namespace-terminating", {"because it is being terminated"}},
    {"quota-exceeded", {"exceeded quota"}},
    {"default-account-not-made", {"serviceaccount \"default\" not found"}},
    {"service-account-missing", {"error looking up service account", "serviceaccount"}},
    {"pods-refused", {"is forbidden", "denied the request", "violates podsecurity", "is invalid", "no priorityclass"}},
});

std::string_view rule_for_words(std::string_view message) {
  for (const auto& refusal : refusals) {
    for (const auto word : refusal.words) {
      if (!word.empty() && mentions(message, {word})) {
        return refusal.rule;
      }
    }
  }
  return "pods-not-created";
}

// A refusal is what the controller says until it tries again, also of a quota that somebody has raised or deleted
// meanwhile; `latest` is the last one that it told. While a quota is full, every new pod that starts takes room that an
// old one has; with nothing leaving, no room will come.
std::string_view rule_for_refused_pods(std::string_view message, const Event* latest, const Evidence& evidence) {
  const auto rule = rule_for_words(message);
  if (rule != "quota-exceeded") {
    return rule;
  }
  if (evidence.quotas != nullptr && is_relieved(latest == nullptr ? message : latest->message, *evidence.quotas)) {
    return "quota-relieved";
  }
  return evidence.old_pods_are_leaving ? "quota-exceeded-for-now" : "quota-exceeded";
}

std::string told(std::string_view rule, const std::string& refusal) {
  return rule == "quota-relieved" ? "there is room by now, and the controller has not tried again: " + refusal
                                  : refusal;
}

// Replica sets are taken up again when their template is: what happened to one before our write is none of ours.
std::vector<const Event*> since_written(std::vector<const Event*> events, const Evidence& evidence) {
  std::erase_if(events, [&](const Event* event) { return is_before_write(event->time, evidence); });
  return events;
}

// With every pod that comes or goes there may be room. The controller waits longer after each refusal, about as long as
// it has been since the first one, so that it finds it no sooner.
void give_time_to_find_room(const Evidence& evidence, const Condition& failure, const Event* latest, Sign& sign) {
  sign.stage = fmt::format("{} pods", evidence.pods.size() + static_cast<std::size_t>(evidence.old_pods));
  const auto first = io::parse_rfc3339(std::max(failure.since, evidence.written.time));
  const auto last = latest == nullptr ? std::nullopt : io::parse_rfc3339(latest->time);
  if (first && last && *last - *first > usual_time_for_room) {
    sign.patience = std::chrono::duration_cast<Moment>(*last - *first);
  }
}

void add_ending_pod(const Pod& pod, std::vector<Sign>& signs) {
  auto sign = pod_sign(pod, "old-pods-ending");
  sign.field = "metadata.deletionTimestamp";
  sign.reason = "Terminating";
  sign.message = "the old pod has been told to end and is still there; no new one is made before it has gone";
  sign.is_usual = true;
  signs.push_back(std::move(sign));
}

// With the strategy Recreate there is none before the old pods are gone.
void add_missing_replica_set(const Evidence& evidence, std::vector<Sign>& signs) {
  const auto& deployment = *evidence.deployment;
  const auto phase = rollout_status(deployment, evidence.written).phase;
  if (phase != RolloutPhase::progressing || deployment.desired == 0) {
    return;
  }
  for (const auto* pod : evidence.ending_old_pods) {
    add_ending_pod(*pod, signs);
  }
  if (evidence.old_pods > 0 || evidence.old_pods_are_leaving) {
    return;
  }
  auto sign = deployment_sign(evidence, "controller-not-acting", "status", "NoReplicaSet",
                              "the deployment controller has made no replica set for the change");
  sign.is_usual = true;
  signs.push_back(std::move(sign));
}

}  // namespace

bool is_before_write(std::string_view time, const Evidence& evidence) {
  constexpr auto to_seconds = std::string_view("2026-01-01T00:00:00").size();
  const auto written = std::string_view(evidence.written.time).substr(0, to_seconds);
  return !time.empty() && time.substr(0, to_seconds) < written;
}

Sign container_sign(const Pod& pod, const Container& container, std::string_view rule) {
  auto sign = pod_sign(pod, rule);
  sign.container = container.name;
  return sign;
}

std::string status_field(const Container& container, std::string_view below) {
  return fmt::format("status.{}[{}].{}", container.statuses, container.name, below);
}

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
  const Event* latest = nullptr;
  for (const auto* event : events) {
    latest = latest == nullptr || event->time >= latest->time ? event : latest;
  }
  return latest;
}

// For a moment after a write the condition still speaks of the replica set before: 'ReplicaSet "api-5d9c7" has timed
// out progressing.' (pkg/controller/deployment/progress.go).
bool is_about_another_replica_set(const Condition& condition, const Evidence& evidence) {
  return evidence.replica_set != nullptr && condition.message.starts_with("ReplicaSet \"") &&
         !condition.message.starts_with(fmt::format("ReplicaSet \"{}\"", evidence.replica_set->name));
}

void add_deployment_signs(const Evidence& evidence, std::vector<Sign>& signs) {
  const auto& deployment = *evidence.deployment;
  const auto status = rollout_status(deployment, evidence.written);
  if (status.phase == RolloutPhase::superseded) {
    signs.push_back(deployment_sign(evidence, "superseded", "spec.template", "Superseded", status.summary));
    return;
  }
  if (status.phase == RolloutPhase::unobserved) {
    auto sign = deployment_sign(evidence, "controller-not-acting", "status.observedGeneration", "NotObserved",
                                "the deployment controller has not taken up the change");
    sign.began = evidence.written_at;
    sign.is_usual = true;
    signs.push_back(std::move(sign));
    return;
  }
  if (deployment.is_paused && !evidence.paused_on_purpose) {
    auto sign =
        deployment_sign(evidence, "deployment-paused", "spec.paused", "DeploymentPaused", "the deployment is paused");
    sign.advice = "resume it: kubectl rollout resume " + sign.object;
    signs.push_back(std::move(sign));
  }
  if (const auto* progressing = find_condition(deployment.conditions, "Progressing");
      progressing != nullptr && progressing->reason == "ProgressDeadlineExceeded" &&
      !is_about_another_replica_set(*progressing, evidence)) {
    signs.push_back(deployment_sign(evidence, "no-progress", "status.conditions[Progressing]", progressing->reason,
                                    progressing->message));
  }
}

// The condition of the new replica set is asked, not the deployment's, which may speak of an old one.
void add_replica_set_signs(const Evidence& evidence, std::vector<Sign>& signs) {
  const auto* replica_set = evidence.replica_set;
  if (replica_set == nullptr) {
    add_missing_replica_set(evidence, signs);
    return;
  }
  const auto* failure = find_condition(replica_set->conditions, "ReplicaFailure");
  const bool is_failing = failure != nullptr && failure->status == "True";
  const auto events = since_written(events_about(evidence, replica_set->uid, "FailedCreate"), evidence);
  if (!is_failing && (events.empty() || !evidence.pods.empty())) {
    return;  // events alone are believed only while no pod has come
  }
  const auto* event = newest(events);
  const auto& message = is_failing ? failure->message : event->message;
  const auto rule = rule_for_refused_pods(message, event, evidence);
  signs.push_back({.rule = rule,
                   .object = "replicaset/" + replica_set->name,
                   .object_uid = replica_set->uid,
                   .field = is_failing ? "status.conditions[ReplicaFailure]" : "events",
                   .reason = is_failing ? failure->reason : event->reason,
                   .message = told(rule, message),
                   .attempts = std::max(1, total_count(events)),
                   // The controller tries again, ever more rarely, and the condition is of the first time.
                   .has_hope = events.empty() && is_before_write(failure->since, evidence)});
  if (is_failing && (rule == "quota-exceeded" || rule == "quota-exceeded-for-now")) {
    give_time_to_find_room(evidence, *failure, event, signs.back());
  }
}

// A Job says nothing of pods that are not let in but in events.
void add_job_signs(const Evidence& evidence, std::vector<Sign>& signs) {
  const auto& job = *evidence.job;
  const auto events = events_about(evidence, job.uid, "FailedCreate");
  if (events.empty() || !evidence.pods.empty()) {
    return;
  }
  const auto* event = newest(events);
  const auto rule = rule_for_refused_pods(event->message, event, evidence);
  signs.push_back({.rule = rule,
                   .object = "job/" + job.name,
                   .object_uid = job.uid,
                   .field = "events",
                   .reason = event->reason,
                   .message = told(rule, event->message),
                   .attempts = std::max(1, total_count(events))});
}

}  // namespace deployctl::kube::verdict
