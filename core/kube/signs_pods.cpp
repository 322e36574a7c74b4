// Signs of a pod as a whole: whether it has a node, its volumes and its network, and whether it may stay.
//
// Events are all there is to tell why a pod is not set up, and they stay when the trouble is over: one is believed only
// until a later step (pulling, starting) has left an event of its own.
#include "core/kube/signs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace deployctl::kube::verdict {
namespace {

using State = Container::State;

constexpr std::string_view scheduled_condition = "status.conditions[PodScheduled]";

const Event* newest_of(const Evidence& evidence, std::string_view uid,
                       std::initializer_list<std::string_view> reasons) {
  std::vector<const Event*> found;
  for (const auto reason : reasons) {
    std::ranges::copy(events_about(evidence, uid, reason), std::back_inserter(found));
  }
  return newest(found);
}

bool is_untouched(const Container& container) {
  return container.state == State::waiting && container.exits() == 0 &&
         (container.waiting_reason.empty() || container.waiting_reason == "ContainerCreating" ||
          container.waiting_reason == "PodInitializing");
}

// It has a node, and none of its containers has come further than being made.
bool is_being_set_up(const Pod& pod) {
  return !pod.node.empty() && std::ranges::all_of(pod.containers, is_untouched);
}

// The newest of those events, while nothing that comes after setting up has happened since.
const Event* setup_trouble(const Evidence& evidence, const Pod& pod, std::initializer_list<std::string_view> reasons) {
  const auto* trouble = newest_of(evidence, pod.uid, reasons);
  const auto* later = newest_of(evidence, pod.uid, {"Pulling", "Pulled", "Created", "Started"});
  return trouble != nullptr && later != nullptr && later->time >= trouble->time ? nullptr : trouble;
}

std::string_view rule_for_mount(std::string_view message) {
  if (mentions(message, {"failed to sync", "cache: timed out", "not registered"})) {
    return "configuration-not-yet-read";
  }
  if (mentions(message, {"multi-attach"})) {
    return "volume-in-use";
  }
  const bool names_object = mentions(message, {"secret", "configmap", "config key"});
  const bool is_missing = mentions(message, {"not found", "non-existent"});
  return names_object && is_missing ? "mount-object-missing" : "volume-not-mounted";
}

// "Unable to attach or mount volumes: … timed out waiting for the condition" follows what tells more.
const Event* mount_trouble(const Evidence& evidence, const Pod& pod) {
  const auto reasons = {std::string_view("FailedMount"), std::string_view("FailedAttachVolume"),
                        std::string_view("FailedMapVolume")};
  const auto* latest = setup_trouble(evidence, pod, reasons);
  if (latest == nullptr || rule_for_mount(latest->message) != "volume-not-mounted") {
    return latest;
  }
  for (const auto reason : reasons) {
    for (const auto* event : events_about(evidence, pod.uid, reason)) {
      const auto rule = rule_for_mount(event->message);
      if (rule == "mount-object-missing" || rule == "volume-in-use") {
        return event;
      }
    }
  }
  return latest;
}

struct SchedulingAdvice {
  std::array<std::string_view, 2> words;
  std::string_view advice;
};

constexpr auto scheduling_advice = std::to_array<SchedulingAdvice>({
    {{"volume node affinity"}, "its volume is bound to another node or zone: free that one, or make the volume anew"},
    {{"too many pods"}, "the nodes have all the pods they may: remove some, or add a node"},
    {{"node affinity", "node selector"}, "no node has the labels it asks for: label one, or ask for others"},
    {{"anti-affinity", "topology spread"},
     "its rules keep it away from the nodes that have room: relax them, or add a node"},
});

std::string advice_for_scheduling(std::string_view message, const Evidence& evidence) {
  if (mentions(message, {"insufficient"})) {
    return evidence.old_pods > 0
               ? "old pods hold the capacity: allow one to go first (max_unavailable), ask for less, or add a node"
               : "";
  }
  for (const auto& row : scheduling_advice) {
    for (const auto word : row.words) {
      if (!word.empty() && mentions(message, {word})) {
        return std::string(row.advice);
      }
    }
  }
  return mentions(message, {"taint"}) ? "the nodes with room have a taint: tolerate it, or take it away" : "";
}

// What the scheduler says about a pod without a node; its reason is empty while it has said nothing.
Sign scheduling_sign(const Evidence& evidence, const Pod& pod) {
  auto sign = pod_sign(pod, "unschedulable");
  const auto* scheduled = find_condition(pod.conditions, "PodScheduled");
  if (scheduled != nullptr && scheduled->status == "False") {
    sign.field = scheduled_condition;
    sign.reason = scheduled->reason;
    sign.message = scheduled->message;
  } else if (const auto* event = newest(events_about(evidence, pod.uid, "FailedScheduling")); event != nullptr) {
    sign.field = "events";
    sign.reason = event->reason;
    sign.message = event->message;
  }
  return sign;
}

std::string_view rule_for_unscheduled(const Evidence& evidence, const Pod& pod, const Sign& sign) {
  if (sign.reason.empty()) {
    return "scheduler-not-acting";
  }
  if (sign.reason == "SchedulingGated") {
    return "scheduling-gated";
  }
  if (sign.reason == "SchedulerError") {
    return "scheduler-error";
  }
  if (newest_of(evidence, pod.uid, {"TriggeredScaleUp", "Nominated"}) != nullptr) {
    return "unschedulable-scaling-up";
  }
  if (!pod.nominated_node.empty()) {
    return "unschedulable-preempting";
  }
  return events_about(evidence, pod.uid, "NotTriggerScaleUp").empty() ? "unschedulable" : "unschedulable-no-scale-up";
}

std::vector<const Event*> claim_events(const Evidence& evidence, std::string_view claim) {
  std::vector<const Event*> found;
  std::ranges::copy_if(evidence.events, std::back_inserter(found), [&](const Event* event) {
    return event->about_kind == "PersistentVolumeClaim" && event->about_name == claim;
  });
  return found;
}

std::string_view rule_for_claim(std::string_view reason) {
  constexpr std::pair<std::string_view, std::string_view> rules[] = {
      {"ProvisioningFailed", "claim-not-provisioned"},     {"FailedBinding", "claim-without-class"},
      {"WaitForFirstConsumer", "claim-waits-for-pod"},     {"Provisioning", "claim-being-provisioned"},
      {"ExternalProvisioning", "claim-being-provisioned"},
  };
  const auto* found = std::ranges::find(rules, reason, &std::pair<std::string_view, std::string_view>::first);
  return found == std::end(rules) ? std::string_view() : found->second;
}

// What the newest event of a claim says. A claim that waits for its pod is as it should be.
bool add_claim_event_sign(const Evidence& evidence, const Pod& pod, const std::string& claim,
                          std::vector<Sign>& signs) {
  const auto* event = newest(claim_events(evidence, claim));
  const auto rule = event == nullptr ? std::string_view() : rule_for_claim(event->reason);
  if (rule.empty()) {
    return false;
  }
  auto sign = pod_sign(pod, rule);
  sign.object = "persistentvolumeclaim/" + claim;
  sign.field = "events";
  sign.reason = event->reason;
  sign.message = event->message;
  sign.is_usual = rule == "claim-waits-for-pod" || rule == "claim-being-provisioned";
  signs.push_back(std::move(sign));
  return true;
}

// A pod without a node whose volumes are what it waits for. The scheduler names a claim that is not there; why one is
// not bound, only the claim's own events tell.
bool add_claim_signs(const Evidence& evidence, const Pod& pod, const Sign& unscheduled, std::vector<Sign>& signs) {
  const bool names_claims = mentions(unscheduled.message, {"persistentvolumeclaim"});
  if (names_claims && mentions(unscheduled.message, {"not found", "being deleted"})) {
    signs.push_back(unscheduled);
    signs.back().rule = "claim-missing";
    return true;
  }
  bool is_told = false;
  for (const auto& claim : pod.claims) {
    const auto* event = newest(claim_events(evidence, claim));
    const bool is_failure = event != nullptr && event->reason == "ProvisioningFailed";
    if (names_claims || unscheduled.reason.empty() || is_failure) {
      is_told = add_claim_event_sign(evidence, pod, claim, signs) || is_told;
    }
  }
  if (!is_told && names_claims) {
    signs.push_back(unscheduled);
    signs.back().rule = "claim-unbound";
    return true;
  }
  return is_told;
}

}  // namespace

Sign pod_sign(const Pod& pod, std::string_view rule) {
  return {.rule = rule, .object = "pod/" + pod.name, .object_uid = pod.uid, .node = pod.node};
}

// "Evicted", "NodeShutdown", "OutOfcpu": a replica set makes another pod in its place.
void add_lost_pod_sign(const Pod& pod, std::vector<Sign>& signs) {
  auto sign = pod_sign(pod, "pods-lost");
  sign.field = "status";
  sign.reason = pod.reason.empty() ? "Failed" : pod.reason;
  sign.message = pod.message.empty() ? "the pod has failed as a whole" : pod.message;
  signs.push_back(std::move(sign));
}

void add_disruption_signs(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs) {
  if (const auto* target = find_condition(pod.conditions, "DisruptionTarget");
      target != nullptr && target->status == "True") {
    auto sign = pod_sign(pod, "pod-disrupted");
    sign.field = "status.conditions[DisruptionTarget]";
    sign.reason = target->reason;
    sign.message = target->message;
    signs.push_back(std::move(sign));
  }
  if (const auto* gone = newest(events_about(evidence, pod.uid, "NodeNotReady")); gone != nullptr && !pod.is_ready()) {
    auto sign = pod_sign(pod, "node-not-ready");
    sign.field = "events";
    sign.reason = gone->reason;
    sign.message = pod.node.empty() ? gone->message : fmt::format("{}: {}", pod.node, gone->message);
    signs.push_back(std::move(sign));
  }
  if (const auto* resize = find_condition(pod.conditions, "PodResizePending");
      resize != nullptr && resize->reason == "Infeasible") {
    auto sign = pod_sign(pod, "resize-infeasible");
    sign.field = "status.conditions[PodResizePending]";
    sign.reason = resize->reason;
    sign.message = resize->message;
    signs.push_back(std::move(sign));
  }
}

void add_scheduling_signs(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs) {
  if (!pod.node.empty()) {
    return;
  }
  auto sign = scheduling_sign(evidence, pod);
  if (add_claim_signs(evidence, pod, sign, signs)) {
    return;
  }
  sign.rule = rule_for_unscheduled(evidence, pod, sign);
  if (sign.reason.empty()) {
    sign.field = scheduled_condition;
    sign.reason = "Pending";
    sign.message = "the scheduler has not looked at the pod";
    sign.is_usual = true;
  } else if (sign.rule.starts_with("unschedulable")) {
    sign.advice = sign.rule == "unschedulable" ? advice_for_scheduling(sign.message, evidence) : std::string();
    sign.message += pod.requests.empty() ? "" : fmt::format(" The pod asks for {}.", pod.requests);
  }
  signs.push_back(std::move(sign));
}

void add_setup_signs(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs) {
  if (!is_being_set_up(pod)) {
    return;
  }
  if (const auto* mount = mount_trouble(evidence, pod); mount != nullptr) {
    auto sign = pod_sign(pod, rule_for_mount(mount->message));
    sign.field = "events";
    sign.reason = mount->reason;
    sign.message = mount->message;
    sign.attempts = mount->count;
    signs.push_back(std::move(sign));
  }
  const auto* sandbox =
      setup_trouble(evidence, pod, {"FailedCreatePodSandBox", "FailedPodSandBoxStatus", "NetworkNotReady"});
  if (sandbox != nullptr) {
    auto sign = pod_sign(pod, "sandbox-fails");
    sign.field = "events";
    sign.reason = sandbox->reason;
    sign.message = sandbox->message;
    sign.attempts = sandbox->count;
    signs.push_back(std::move(sign));
  }
}

void add_gate_sign(const Pod& pod, std::vector<Sign>& signs) {
  const auto* containers = find_condition(pod.conditions, "ContainersReady");
  if (containers == nullptr || containers->status != "True" || pod.is_ready()) {
    return;
  }
  for (const auto& gate : pod.readiness_gates) {
    const auto* condition = find_condition(pod.conditions, gate);
    if (condition == nullptr || condition->status != "True") {
      auto sign = pod_sign(pod, "readiness-gate-unset");
      sign.field = fmt::format("status.conditions[{}]", gate);
      sign.reason = "ReadinessGatesNotReady";
      sign.message = fmt::format("the readiness gate {} is not set", gate);
      sign.is_usual = true;
      signs.push_back(std::move(sign));
      return;
    }
  }
}

// A pull of a large image takes minutes and says nothing meanwhile.
void add_starting_sign(const Evidence& evidence, const Pod& pod, std::vector<Sign>& signs) {
  const auto waits = [](const Container& container) {
    return container.state == State::waiting && container.exits() == 0 && container.waiting_reason != "PodInitializing";
  };
  const auto container = std::ranges::find_if(pod.containers, waits);
  if (pod.node.empty() || container == pod.containers.end()) {
    return;
  }
  auto sign = container_sign(pod, *container, "container-starting");
  const bool is_pulling = !events_about(evidence, pod.uid, "Pulling", container->name).empty() &&
                          events_about(evidence, pod.uid, "Pulled", container->name).empty();
  sign.field = status_field(*container, "state.waiting");
  sign.reason = is_pulling                          ? "Pulling"
                : container->waiting_reason.empty() ? "ContainerCreating"
                                                    : container->waiting_reason;
  sign.message = is_pulling ? fmt::format("the node is pulling {}", container->image) : "the container is being made";
  sign.is_usual = true;
  signs.push_back(std::move(sign));
}

}  // namespace deployctl::kube::verdict
