// Each look collects signs, adds up what several pods show, and believes a sign once its rule's threshold is reached.
// What gives a sign less weight than its rule would: pods that fail on one node while others run elsewhere (the node is
// to blame), a container that is running again, and a pod that is alone with it, once, while another of the same
// revision is ready.
#include "core/kube/verdict.hpp"

#include "core/kube/signs.hpp"

#include <algorithm>
#include <set>

namespace deployctl::kube::verdict {
namespace {

// All that was seen of one rule.
struct Tally {
  const Rule* rule = nullptr;
  std::vector<const Sign*> signs;
  std::vector<Moment> began;  // of each sign
};

std::string key_of(const Sign& sign) {
  return std::string(sign.rule) + '\n' + sign.object_uid + '\n' + sign.container + '\n' + sign.stage;
}

// A pod that has failed as a whole is the node's or the cluster's doing: its containers were ended from outside. That
// of a Job fails with its containers, unless a reason of its own is given.
bool is_lost(const Evidence& evidence, const Pod& pod) {
  return pod.phase == "Failed" && (evidence.job == nullptr || !pod.reason.empty());
}

void add_signs_of(const Evidence& evidence, const Pod& pod, Memory& memory, Moment now, std::vector<Sign>& signs) {
  if (is_lost(evidence, pod)) {
    add_lost_pod_sign(pod, signs);
    return;
  }
  const auto before = signs.size();
  add_disruption_signs(evidence, pod, signs);
  add_scheduling_signs(evidence, pod, signs);
  for (const auto& container : pod.containers) {
    add_container_signs(evidence, pod, container, memory, now, signs);
  }
  add_setup_signs(evidence, pod, signs);
  if (signs.size() == before) {
    add_gate_sign(pod, signs);
    add_starting_sign(evidence, pod, signs);
  }
}

// What is told of a pod from before our write was before whatever has been mended since. Why an image could not be
// pulled is heard all the same: only there does it stand, and the registry settles whether it is still so.
Evidence without_old_events(Evidence evidence) {
  std::set<std::string_view> old_pods;
  for (const auto* pod : evidence.pods) {
    if (is_before_write(pod->created, evidence)) {
      old_pods.insert(pod->uid);
    }
  }
  std::erase_if(evidence.events, [&](const Event* event) {
    return old_pods.contains(event->about_uid) && is_before_write(event->time, evidence) && !is_failed_pull(*event);
  });
  return evidence;
}

std::vector<Sign> collect(const Evidence& evidence, Memory& memory, Moment now) {
  std::vector<Sign> signs;
  if (evidence.job != nullptr) {
    add_job_signs(evidence, signs);
  } else {
    add_deployment_signs(evidence, signs);
    add_replica_set_signs(evidence, signs);
  }
  for (const auto* pod : evidence.pods) {
    add_signs_of(evidence, *pod, memory, now, signs);
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

bool is_every_pod(const Tally& tally, const Evidence& evidence) {
  std::set<std::string_view> showing;
  for (const auto* sign : tally.signs) {
    showing.insert(sign->object_uid);
  }
  return showing.size() >= evidence.pods.size();
}

// The same pods can work: one of the revision is ready, and only one other has shown this, once.
bool is_contradicted(const Tally& tally, const Evidence& evidence) {
  const auto& sign = *tally.signs.front();
  if (tally.signs.size() > 1 || sign.attempts > 1 || !sign.object.starts_with("pod/")) {
    return false;
  }
  return std::ranges::any_of(evidence.pods,
                             [&](const Pod* pod) { return pod->is_ready() && pod->uid != sign.object_uid; });
}

enum class IsFinal { no, yes };

class Judge {
 public:
  Judge(const Evidence& evidence, Moment now) : evidence_(evidence), now_(now) {}

  Finding judge(const Tally& tally) {
    const auto worst = worst_sign(tally);
    const auto& sign = *tally.signs[worst];
    Finding finding{.rule = std::string(tally.rule->name),
                    .kind = tally.rule->kind,
                    .weight = is_one_nodes_fault(tally, evidence_) ? Weight::waiting : weight_of(tally),
                    .object = sign.object,
                    .field = sign.field,
                    .container = sign.container,
                    .node = sign.node,
                    .image = sign.image,
                    .reason = sign.reason,
                    .message = sign.message,
                    .advice = sign.advice.empty() ? std::string(tally.rule->advice) : sign.advice,
                    .affected = static_cast<int>(tally.signs.size()),
                    .total = std::max(1, static_cast<int>(evidence_.pods.size())),
                    .attempts = sign.attempts,
                    .first_seen = *std::ranges::min_element(tally.began),
                    .is_usual = std::ranges::all_of(tally.signs, &Sign::is_usual)};
    return finding;
  }

  // A state that is as it should be at first is not worth telling before it has lasted.
  bool is_worth_telling(const Finding& finding) {
    if (finding.weight != Weight::waiting || !finding.is_usual) {
      return true;
    }
    note(finding.first_seen + naming_time);
    return now_ - finding.first_seen >= naming_time;
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
    const bool is_permanent = holds(tally.rule->permanent, tally, IsFinal::yes);
    const bool is_probable = is_permanent || holds(tally.rule->probable, tally, IsFinal::no);
    if (is_permanent && !is_contradicted(tally, evidence_)) {
      return Weight::permanent;
    }
    const bool reaches = tally.rule->reach == Reach::one_pod || is_every_pod(tally, evidence_);
    return is_probable && reaches ? Weight::probable : Weight::waiting;
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
          .kind = Class::superseded,
          .weight = Weight::permanent,
          .object = "deployment/" + std::string(deployment),
          .field = {},
          .container = {},
          .node = {},
          .image = {},
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

Judgement judge(const Evidence& all, Memory& memory, Moment now, std::span<const Rule> rules) {
  const auto evidence = without_old_events(all);
  const auto signs = collect(evidence, memory, now);
  Judge judge_of(evidence, now);
  Judgement judgement;
  for (const auto& of_rule : tally(rules, signs, memory, now)) {
    auto finding = judge_of.judge(of_rule);
    if (judge_of.is_worth_telling(finding)) {
      judgement.findings.push_back(std::move(finding));
    }
  }
  std::ranges::stable_sort(judgement.findings, std::ranges::greater{}, &Finding::weight);
  judgement.look_again = judge_of.look_again();
  return judgement;
}

}  // namespace deployctl::kube::verdict
