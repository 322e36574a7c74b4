// The pods of a Job are judged by the same rules as those of a Deployment; that a container of it ends is for its
// controller to judge, which says so in the Job's conditions.
#include "core/kube/rollout_tracker.hpp"

#include <algorithm>

namespace deployctl::kube {
namespace {

// After a Job's own end: its pods are told by another watch.
constexpr std::chrono::milliseconds time_for_pods{2'000};

}  // namespace

std::string_view to_string(RolloutResult result) {
  switch (result) {
    case RolloutResult::done:
      return "done";
    case RolloutResult::failed:
      return "failed";
    case RolloutResult::undecided:
      return "undecided";
    case RolloutResult::unseen:
      return "unseen";
    case RolloutResult::interrupted:
      return "interrupted";
  }
  return "";
}

std::span<const verdict::Rule> RolloutTracker::rules_of(const Followed& followed) const {
  return followed.rules.empty() ? options_.rules : std::span<const verdict::Rule>(followed.rules);
}

void RolloutTracker::follow(RolloutTarget target, Moment now) {
  const auto index = followed_.size();
  auto& by_name = target.kind == RolloutTarget::Kind::job ? followed_jobs_by_name_ : followed_by_name_;
  by_name[target.deployment] = index;
  auto rules = target.patience.empty() ? std::vector<verdict::Rule>() : verdict::rules_with(target.patience);
  followed_.push_back({.target = std::move(target), .since = now, .rules = std::move(rules)});
  touched_.insert(index);
}

void RolloutTracker::learn(const std::string& image, verdict::ImageAnswer answer) {
  images_[image] = answer;
  touch_all();
}

void RolloutTracker::touch_all() {
  for (std::size_t i = 0; i < followed_.size(); ++i) {
    touched_.insert(i);
  }
}

void RolloutTracker::heed_touched() {
  const auto touched = view_.take_touched();
  if (touched.is_all) {
    touch_all();
  }
  const auto touch = [&](const std::set<std::string>& names, const auto& by_name) {
    for (const auto& name : names) {
      if (const auto index = by_name.find(name); index != by_name.end()) {
        touched_.insert(index->second);
      }
    }
  };
  touch(touched.deployments, followed_by_name_);
  touch(touched.jobs, followed_jobs_by_name_);
}

std::vector<RolloutChange> RolloutTracker::advance(Moment now) {
  heed_touched();
  std::vector<std::size_t> due(touched_.begin(), touched_.end());
  for (std::size_t i = 0; i < followed_.size(); ++i) {
    if (followed_[i].wake_at && *followed_[i].wake_at <= now && !touched_.contains(i)) {
      due.push_back(i);
    }
  }
  touched_.clear();
  std::ranges::sort(due);
  std::vector<RolloutChange> changes;
  for (const auto index : due) {
    if (!followed_[index].outcome) {
      const bool is_job = followed_[index].target.kind == RolloutTarget::Kind::job;
      is_job ? assess_job(followed_[index], now, changes) : assess(followed_[index], now, changes);
      heed_deadline(followed_[index], now, changes);
    }
  }
  return changes;
}

void RolloutTracker::heed_deadline(Followed& followed, Moment now, std::vector<RolloutChange>& changes) {
  const auto& deadline = followed.target.deadline;
  if (followed.outcome || !deadline) {
    return;
  }
  if (*deadline <= now) {
    decide(followed, RolloutResult::undecided, changes);
  } else {
    followed.wake_at = std::min(followed.wake_at.value_or(*deadline), *deadline);
  }
}

void RolloutTracker::assess(Followed& followed, Moment now, std::vector<RolloutChange>& changes) {
  followed.wake_at.reset();
  const auto* deployment = view_.deployment(followed.target.deployment);
  if (deployment == nullptr) {
    if (followed.status) {  // it was there
      followed.findings = {verdict::deleted(followed.target.deployment, now)};
      tell_findings(followed, changes);
      decide(followed, RolloutResult::failed, changes);
    }
    return;
  }
  const auto evidence = evidence_for(followed, *deployment);
  tell_status(followed, rollout_status(*deployment, followed.target.written), changes);
  auto judgement = verdict::judge(evidence, followed.memory, now, rules_of(followed));
  followed.findings = std::move(judgement.findings);
  followed.wake_at = judgement.look_again;
  if (is_complete(followed, evidence, now)) {
    decide(followed, RolloutResult::done, changes);
    return;
  }
  tell_findings(followed, changes);
  if (!followed.findings.empty() && followed.findings.front().weight == verdict::Weight::permanent) {
    decide(followed, RolloutResult::failed, changes);
  }
}

void RolloutTracker::assess_job(Followed& followed, Moment now, std::vector<RolloutChange>& changes) {
  followed.wake_at.reset();
  const auto* job = view_.job(followed.target.deployment);
  if (job == nullptr) {
    if (followed.status) {  // it was there
      followed.findings = {verdict::deleted_job(followed.target.deployment, now)};
      tell_findings(followed, changes);
      decide(followed, RolloutResult::failed, changes);
    }
    return;
  }
  const auto evidence = evidence_for(followed, *job);
  tell_started_pods(followed, evidence, changes);
  tell_status(followed, {.phase = RolloutPhase::progressing, .desired = 1, .summary = describe(*job)}, changes);
  if (job->is_complete()) {
    end_complete_job(followed, now, changes);
    return;
  }
  auto judgement = verdict::judge(evidence, followed.memory, now, rules_of(followed));
  followed.findings = std::move(judgement.findings);
  followed.wake_at = judgement.look_again;
  if (job->failure() != nullptr) {
    end_failed_job(followed, *job, now, changes);
    return;
  }
  tell_findings(followed, changes);
  if (!followed.findings.empty() && followed.findings.front().weight == verdict::Weight::permanent) {
    decide(followed, RolloutResult::failed, changes);
  }
}

// What its pod has printed is worth a moment: that there is one may be told later than that the Job is complete.
void RolloutTracker::end_complete_job(Followed& followed, Moment now, std::vector<RolloutChange>& changes) {
  followed.ended_since = followed.ended_since.value_or(now);
  const auto until = *followed.ended_since + time_for_pods;
  if (followed.started_pods.empty() && now < until) {
    followed.wake_at = until;
    return;
  }
  decide(followed, RolloutResult::done, changes);
}

// The cause is how a pod ended, which may be told a moment later than that the Job has failed: they are two watches.
void RolloutTracker::end_failed_job(Followed& followed, const Job& job, Moment now,
                                    std::vector<RolloutChange>& changes) {
  followed.ended_since = followed.ended_since.value_or(now);
  const bool may_come = job.failure()->reason == "BackoffLimitExceeded";
  if (followed.findings.empty() && may_come && now - *followed.ended_since < time_for_pods) {
    followed.wake_at = *followed.ended_since + time_for_pods;
    return;
  }
  if (followed.findings.empty() || !may_come) {
    followed.findings.insert(followed.findings.begin(), verdict::failed_job(job, now));
  }
  followed.findings.front().weight = verdict::Weight::permanent;
  tell_findings(followed, changes);
  decide(followed, RolloutResult::failed, changes);
}

void RolloutTracker::tell_started_pods(Followed& followed, const verdict::Evidence& evidence,
                                       std::vector<RolloutChange>& changes) {
  for (const auto* pod : evidence.pods) {
    for (const auto& container : pod->containers) {
      if (container.state != Container::State::waiting && followed.started_pods.insert(pod->uid).second) {
        changes.push_back({.service = followed.target.service,
                           .deployment = followed.target.deployment,
                           .what = PodStarted{pod->name, container.name}});
      }
    }
  }
}

verdict::Evidence RolloutTracker::evidence_for(const Followed& followed, const Deployment& deployment) const {
  auto evidence = view_.evidence_for(deployment, followed.target.written);
  evidence.written_at = followed.since;
  evidence.paused_on_purpose = followed.target.paused_on_purpose;
  evidence.images = &images_;
  return evidence;
}

verdict::Evidence RolloutTracker::evidence_for(const Followed& followed, const Job& job) const {
  auto evidence = view_.evidence_for(job);
  evidence.written_at = followed.since;
  evidence.images = &images_;
  return evidence;
}

// The numbers must be right, for as long as was asked for, and no container may be between two crashes.
bool RolloutTracker::is_complete(Followed& followed, const verdict::Evidence& evidence, Moment now) {
  if (followed.status->phase != RolloutPhase::done) {
    followed.complete_since.reset();
    return false;
  }
  followed.complete_since = followed.complete_since.value_or(now);
  const auto unsettled = verdict::unsettled_until(evidence, followed.memory);
  const auto complete_at = std::max(*followed.complete_since + options_.settle, unsettled.value_or(Moment::min()));
  if (complete_at <= now) {
    return true;
  }
  if (complete_at != Moment::max()) {
    followed.wake_at = std::min(followed.wake_at.value_or(complete_at), complete_at);
  }
  return false;
}

void RolloutTracker::tell_status(Followed& followed, RolloutStatus status, std::vector<RolloutChange>& changes) {
  if (followed.status != status) {
    changes.push_back({.service = followed.target.service, .deployment = followed.target.deployment, .what = status});
    followed.status = std::move(status);
  }
}

// Each cause is told when it is first seen, when it has grown heavier, and when what was usual shows trouble.
void RolloutTracker::tell_findings(Followed& followed, std::vector<RolloutChange>& changes) {
  for (const auto& finding : followed.findings) {
    const auto told = followed.told.find(finding.rule);
    const bool is_new = told == followed.told.end() || told->second.weight < finding.weight ||
                        (told->second.is_usual && !finding.is_usual);
    if (is_new) {
      followed.told.insert_or_assign(finding.rule, finding);
      changes.push_back(
          {.service = followed.target.service, .deployment = followed.target.deployment, .what = finding});
    }
  }
}

void RolloutTracker::decide(Followed& followed, RolloutResult result, std::vector<RolloutChange>& changes) {
  const bool is_unseen = result == RolloutResult::undecided && !blind_.empty();
  followed.outcome = {.service = followed.target.service,
                      .deployment = followed.target.deployment,
                      .result = is_unseen ? RolloutResult::unseen : result,
                      .status = followed.status.value_or(RolloutStatus{}),
                      .blind = is_unseen ? blind_ : std::string(),
                      .findings = result == RolloutResult::done ? std::vector<verdict::Finding>() : followed.findings};
  followed.wake_at.reset();
  changes.push_back(
      {.service = followed.target.service, .deployment = followed.target.deployment, .what = *followed.outcome});
}

std::optional<RolloutTracker::Moment> RolloutTracker::wake_at() const {
  std::optional<Moment> earliest;
  for (const auto& followed : followed_) {
    if (followed.wake_at && !followed.outcome) {
      earliest = std::min(earliest.value_or(*followed.wake_at), *followed.wake_at);
    }
  }
  return earliest;
}

bool RolloutTracker::is_decided() const {
  return std::ranges::all_of(followed_, [](const Followed& followed) { return followed.outcome.has_value(); });
}

std::vector<RolloutOutcome> RolloutTracker::give_up(RolloutResult result) {
  std::vector<RolloutChange> changes;
  for (auto& followed : followed_) {
    if (!followed.outcome) {
      decide(followed, result, changes);
    }
  }
  std::vector<RolloutOutcome> given_up;
  for (auto& change : changes) {
    given_up.push_back(std::get<RolloutOutcome>(std::move(change.what)));
  }
  return given_up;
}

std::vector<RolloutOutcome> RolloutTracker::outcomes() const {
  std::vector<RolloutOutcome> all;
  for (const auto& followed : followed_) {
    if (followed.outcome) {
      all.push_back(*followed.outcome);
    }
  }
  return all;
}

std::vector<RolloutTarget> RolloutTracker::undecided() const {
  std::vector<RolloutTarget> targets;
  for (const auto& followed : followed_) {
    if (!followed.outcome) {
      targets.push_back(followed.target);
    }
  }
  return targets;
}

}  // namespace deployctl::kube
