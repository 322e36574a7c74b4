// Each look collects signs, adds up what several pods show, and believes a sign once its rule's threshold is reached.
// What gives a sign less weight than its rule would: pods that fail on one node while others run elsewhere (the node is
// to blame), and a container that is running again.
#include "core/kube/verdict.hpp"

#include "core/kube/signs.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace deployctl::kube::verdict {
namespace {

using std::chrono::seconds;

// A crash is a loop after the third end, never ready in between, and not sooner than 15 seconds after the first start:
// kubelets may be set to back off for a second only, so that neither the number nor the time alone says enough.
constexpr Threshold crash_loop{.attempts = 3, .after = seconds(15), .at_latest = {}};
constexpr Threshold at_once{};
constexpr Threshold second_time{.attempts = 2, .after = seconds(0), .at_latest = {}};

constexpr Threshold after(seconds wait) {
  return {.attempts = 1, .after = wait, .at_latest = {}};
}
constexpr Threshold second_pull{.attempts = 2, .after = seconds(0), .at_latest = seconds(60)};

constexpr auto across = Counting::across_objects;
constexpr auto each = Counting::per_object;

constexpr auto table = std::to_array<Rule>({
    // name, probable, permanent, counting, advice
    {"superseded", {}, at_once, each, "look at who changed the deployment, then roll out again"},
    {"deployment-paused", {}, at_once, each, "resume it: kubectl rollout resume deployment"},
    {"image-name-invalid", {}, at_once, each, "correct the image reference"},
    {"must-not-run-as-root",
     {},
     at_once,
     each,
     "give the image a numeric USER other than 0, or set runAsUser in the pod"},
    {"image-wrong-platform", {}, after(seconds(5)), across, "build the image for the platform of the nodes"},
    {"image-not-found", {}, second_pull, across, "check the image's name and tag, and that it has been pushed"},
    {"image-pull-denied",
     {},
     second_pull,
     across,
     "check the pull secret: it must exist in this namespace and hold this registry's name"},
    {"image-registry-untrusted",
     {},
     second_pull,
     across,
     "make the nodes trust the registry's certificate, or allow it as an insecure registry"},
    {"configuration-missing",
     {},
     after(seconds(10)),
     each,
     "create the ConfigMap, Secret or key that the container names"},
    {"command-cannot-start", second_time, second_time, each,
     "check that the command exists in the image, is executable, and was built for the node's platform"},
    {"pods-refused", after(seconds(1)), Threshold{.attempts = 2, .after = seconds(2), .at_latest = seconds(10)}, each,
     "change the pods so that the cluster's policy allows them, or the policy"},
    {"quota-exceeded", after(seconds(5)), after(seconds(20)), each,
     "raise the quota, ask for less, or allow an old pod to go first (max_unavailable)"},
    {"out-of-memory", second_time, crash_loop, each, "raise the memory limit, or find out what takes the memory"},
    {"command-ends", second_time, crash_loop, each,
     "the command returns: a service must keep running in the foreground"},
    {"probe-kills-container", second_time, crash_loop, each,
     "give the container longer to start, or correct its liveness or startup probe"},
    {"container-aborts", second_time, crash_loop, each,
     "read its log; an illegal instruction means that it was built for another processor"},
    {"container-crashes", second_time, crash_loop, each, "read what it printed before it ended"},
    {"container-killed", second_time, crash_loop, each, "look at the node's memory and at the container's probes"},
    {"container-unstable",
     Threshold{.attempts = 4, .after = seconds(0), .at_latest = {}},
     {},
     each,
     "it runs for a while and then ends: read what it printed"},
    {"container-not-started", after(seconds(30)), {}, each, "read the message of the container runtime"},
    {"container-not-created",
     Threshold{.attempts = 1, .after = seconds(15), .at_latest = {}},
     {},
     each,
     "check the command and the mounts of the container"},
    {"image-never-pulled",
     after(seconds(10)),
     {},
     each,
     "the pull policy is Never: load the image on the nodes, or change the policy"},
    {"image-registry-unreachable", after(seconds(90)), {}, across, "check the network from the nodes to the registry"},
    {"image-node-trouble", after(seconds(60)), {}, across, "check the disks of the nodes"},
    {"image-pull-fails", after(seconds(60)), {}, across, "read the message of the container runtime"},
    {"configuration-error", after(seconds(30)), {}, each, "read the message: the container's settings do not fit"},
    {"quota-exceeded-for-now", after(seconds(20)), {}, each, "old pods are leaving and will make room"},
    {"admission-unavailable", after(seconds(30)), {}, each, "look at the admission webhook named in the message"},
    {"controller-not-acting",
     after(seconds(15)),
     {},
     each,
     "look at kube-controller-manager: it does not take up changes"},
    {"unschedulable-no-scale-up", {}, after(seconds(30)), each, "ask for less, or add nodes: the autoscaler will not"},
    {"unschedulable", after(seconds(30)), {}, each, "ask for less, free capacity, or add a node that fits"},
    {"scheduler-not-acting", after(seconds(20)), {}, each, "look at kube-scheduler and at the pod's schedulerName"},
    {"unschedulable-scaling-up", after(seconds(600)), {}, each, "the autoscaler is adding a node"},
    {"not-ready", at_once, {}, each, "check the probe's path and port, and what the container prints"},
    {"no-progress", at_once, {}, each, "the deployment has not come further within its progress deadline"},
    {"image-pull-limited", {}, {}, across, "the registry limits pulls: wait, or pull with an account"},
    {"configuration-not-yet-read", {}, {}, each, "the node has not read the ConfigMap or Secret yet"},
    {"container-name-reserved", {}, {}, each, "the node still clears away the container before"},
    {"scheduling-gated", {}, {}, each, "a scheduling gate holds the pod back"},
});

// All that was seen of one rule.
struct Tally {
  const Rule* rule = nullptr;
  std::vector<const Sign*> signs;
  std::vector<Moment> began;  // of each sign
};

std::string key_of(const Sign& sign) {
  return std::string(sign.rule) + '\n' + sign.object_uid + '\n' + sign.container;
}

std::vector<Sign> collect(const Evidence& evidence, Memory& memory, Moment now) {
  std::vector<Sign> signs;
  if (evidence.job != nullptr) {
    add_job_signs(evidence, signs);
  } else {
    add_deployment_signs(evidence, now, signs);
    add_replica_set_signs(evidence, signs);
  }
  for (const auto* pod : evidence.pods) {
    add_scheduling_signs(evidence, *pod, signs);
    for (const auto& container : pod->containers) {
      add_container_signs(evidence, *pod, container, memory, now, signs);
    }
  }
  return signs;
}

bool is_reached(const Threshold& threshold, int attempts, Moment waited, std::optional<Moment> patience) {
  const auto wait = patience.value_or(threshold.after);
  return (attempts >= threshold.attempts && waited >= wait) || (threshold.at_latest && waited >= *threshold.at_latest);
}

// The next moment at which the threshold may be reached without anything new being seen.
std::optional<Moment> reached_at(const Threshold& threshold, int attempts, Moment began,
                                 std::optional<Moment> patience) {
  if (attempts >= threshold.attempts) {
    return began + patience.value_or(threshold.after);
  }
  return threshold.at_latest ? std::optional(began + *threshold.at_latest) : std::nullopt;
}

// Pods that fail all stand on one node, and others run on another.
bool is_one_nodes_fault(const Tally& tally, const Evidence& evidence) {
  std::set<std::string_view> failing;
  for (const auto* sign : tally.signs) {
    failing.insert(sign->node);
  }
  if (failing.size() != 1 || failing.begin()->empty()) {
    return false;
  }
  return std::ranges::any_of(evidence.pods, [&](const Pod* pod) {
    return pod->is_ready() && !pod->node.empty() && pod->node != *failing.begin();
  });
}

enum class IsFinal { no, yes };

class Judge {
 public:
  Judge(const Evidence& evidence, Moment now) : evidence_(evidence), now_(now) {}

  Finding judge(const Tally& tally) {
    const auto worst = worst_sign(tally);
    const auto& sign = *tally.signs[worst];
    Finding finding{.rule = std::string(tally.rule->name),
                    .weight = is_one_nodes_fault(tally, evidence_) ? Weight::waiting : weight_of(tally),
                    .object = sign.object,
                    .container = sign.container,
                    .reason = sign.reason,
                    .message = sign.message,
                    .advice = std::string(tally.rule->advice),
                    .affected = static_cast<int>(tally.signs.size()),
                    .total = std::max(1, static_cast<int>(evidence_.pods.size())),
                    .first_seen = *std::ranges::min_element(tally.began)};
    return finding;
  }

  [[nodiscard]] std::optional<Moment> look_again() const { return look_again_; }

 private:
  static std::size_t worst_sign(const Tally& tally) {
    std::size_t worst = 0;
    for (std::size_t i = 1; i < tally.signs.size(); ++i) {
      if (tally.signs[i]->attempts > tally.signs[worst]->attempts) {
        worst = i;
      }
    }
    return worst;
  }

  Weight weight_of(const Tally& tally) {
    if (holds(tally.rule->permanent, tally, IsFinal::yes)) {
      return Weight::permanent;
    }
    return holds(tally.rule->probable, tally, IsFinal::no) ? Weight::probable : Weight::waiting;
  }

  bool holds(const std::optional<Threshold>& threshold, const Tally& tally, IsFinal is_final) {
    if (!threshold) {
      return false;
    }
    int together = 0;
    for (const auto* sign : tally.signs) {
      together += sign->attempts;
    }
    bool is_held = false;
    for (std::size_t i = 0; i < tally.signs.size(); ++i) {
      const auto& sign = *tally.signs[i];
      const int attempts = tally.rule->counting == Counting::across_objects ? together : sign.attempts;
      if (sign.has_hope && is_final == IsFinal::yes) {
        continue;
      }
      is_held = is_held || is_reached(*threshold, attempts, now_ - tally.began[i], sign.patience);
      note(reached_at(*threshold, attempts, tally.began[i], sign.patience));
    }
    return is_held;
  }

  void note(std::optional<Moment> moment) {
    if (moment && *moment > now_) {
      look_again_ = std::min(look_again_.value_or(*moment), *moment);
    }
  }

  const Evidence& evidence_;
  Moment now_;
  std::optional<Moment> look_again_;
};

std::vector<Tally> tally(std::span<const Rule> rules, const std::vector<Sign>& signs, Memory& memory, Moment now) {
  std::vector<Tally> tallies;
  std::vector<std::string> keys;
  for (const auto& rule : rules) {
    Tally of_rule{.rule = &rule, .signs = {}, .began = {}};
    for (const auto& sign : signs) {
      if (sign.rule == rule.name) {
        keys.push_back(key_of(sign));
        const auto first_seen = memory.sighting(keys.back(), now).first_seen;
        of_rule.signs.push_back(&sign);
        of_rule.began.push_back(std::min(sign.began.value_or(first_seen), first_seen));
      }
    }
    if (!of_rule.signs.empty()) {
      tallies.push_back(std::move(of_rule));
    }
  }
  memory.keep_only(keys);
  return tallies;
}

}  // namespace

std::string_view to_string(Weight weight) {
  switch (weight) {
    case Weight::waiting:
      return "waiting";
    case Weight::probable:
      return "probable";
    case Weight::permanent:
      return "permanent";
  }
  return "";
}

std::span<const Rule> default_rules() {
  return table;
}

Memory::Sighting& Memory::sighting(const std::string& key, Moment now) {
  return sightings_.try_emplace(key, Sighting{.first_seen = now}).first->second;
}

Memory::ContainerHistory& Memory::container(const std::string& pod_uid, const std::string& name) {
  return containers_[{pod_uid, name}];
}

const Memory::ContainerHistory* Memory::find_container(const std::string& pod_uid, const std::string& name) const {
  const auto found = containers_.find({pod_uid, name});
  return found == containers_.end() ? nullptr : &found->second;
}

void Memory::keep_only(const std::vector<std::string>& keys) {
  std::erase_if(sightings_,
                [&](const auto& sighting) { return std::ranges::find(keys, sighting.first) == keys.end(); });
}

Finding deleted(std::string_view deployment, Moment now) {
  return {.rule = "deployment-deleted",
          .weight = Weight::permanent,
          .object = "deployment/" + std::string(deployment),
          .container = {},
          .reason = "Deleted",
          .message = "the deployment was deleted during the rollout",
          .advice = "look at who deleted it, then roll out again",
          .affected = 1,
          .total = 1,
          .first_seen = now};
}

Finding deleted_job(std::string_view job, Moment now) {
  auto finding = deleted(job, now);
  finding.rule = "job-deleted";
  finding.object = "job/" + std::string(job);
  finding.message = "the Job was deleted before it came to its end";
  finding.advice = "look at who deleted it, then roll out again";
  return finding;
}

Finding failed_job(const Job& job, Moment now) {
  const auto* condition = job.failure();
  const bool is_late = condition->reason == "DeadlineExceeded";
  auto finding = deleted_job(job.name, now);
  finding.rule = is_late ? "task-took-too-long" : "task-failed";
  finding.reason = condition->reason;
  finding.message = condition->message;
  finding.advice =
      is_late ? "give the task a longer `timeout`, or find out what it waits for" : "look at the Job and its pods";
  return finding;
}

Judgement judge(const Evidence& evidence, Memory& memory, Moment now, std::span<const Rule> rules) {
  const auto signs = collect(evidence, memory, now);
  Judge judge_of(evidence, now);
  Judgement judgement;
  for (const auto& of_rule : tally(rules, signs, memory, now)) {
    auto finding = judge_of.judge(of_rule);
    const bool is_usual = std::ranges::all_of(of_rule.signs, &Sign::is_usual);
    if (finding.weight != Weight::waiting || !is_usual) {
      judgement.findings.push_back(std::move(finding));
    }
  }
  std::ranges::stable_sort(judgement.findings, std::ranges::greater{}, &Finding::weight);
  judgement.look_again = judge_of.look_again();
  return judgement;
}

}  // namespace deployctl::kube::verdict
