// Objects are kept by whom they belong to, so that a change of one pod is an assessment of one Deployment: following a
// thousand costs what changes, not what there is. The pods of a Job are judged by the same rules as those of a
// Deployment; that a container of it ends is for its controller to judge, which says so in the Job's conditions.
#include "core/kube/rollout_tracker.hpp"

#include "core/json/reader.hpp"

#include <algorithm>

namespace deployctl::kube {
namespace {

std::string uid_of(const Object& object) {
  return json::Reader(object.body).at("metadata", "uid").string_or();
}

template <typename Map>
void erase_below(Map& by_owner, const std::string& owner, const std::string& uid) {
  if (const auto found = by_owner.find(owner); found != by_owner.end()) {
    found->second.erase(uid);
    if (found->second.empty()) {
      by_owner.erase(found);
    }
  }
}

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

void RolloutTracker::put(const Object& object) {
  const auto kind = object.kind();
  if (kind == "Deployment") {
    put_deployment(object);
  } else if (kind == "ReplicaSet") {
    put_replica_set(object);
  } else if (kind == "Job") {
    put_job(object);
  } else if (kind == "Pod") {
    put_pod(object);
  } else if (kind == "Event") {
    put_event(object);
  }
}

void RolloutTracker::put_deployment(const Object& object) {
  auto deployment = Deployment::from_json(object.body);
  deployment_names_[deployment.uid] = deployment.name;
  touch_deployment(deployment.uid);
  auto& place = deployments_[deployment.name];
  place = std::move(deployment);
}

void RolloutTracker::put_replica_set(const Object& object) {
  auto replica_set = ReplicaSet::from_json(object.body);
  const auto owner = replica_set.owner_uid;
  const auto uid = replica_set.uid;
  replica_set_owner_[uid] = owner;
  replica_sets_[owner][uid] = std::move(replica_set);
  touch_deployment(owner);
}

void RolloutTracker::put_job(const Object& object) {
  auto job = Job::from_json(object.body);
  job_names_[job.uid] = job.name;
  touch_job(job.uid);
  auto& place = jobs_[job.name];
  place = std::move(job);
}

void RolloutTracker::put_pod(const Object& object) {
  auto pod = Pod::from_json(object.body);
  const auto owner = pod.owner_uid;
  const auto uid = pod.uid;
  pod_owner_[uid] = owner;
  pods_[owner][uid] = std::move(pod);
  touch_owner_of_replica_set(owner);
  touch_job(owner);
}

// An event may come before the object it is about; then its arrival is what touches the deployment.
void RolloutTracker::put_event(const Object& object) {
  auto event = Event::from_json(object.body);
  const auto about = event.about_uid;
  if (about.empty()) {
    return;
  }
  const auto uid = event.uid;
  if (event.about_kind == "PersistentVolumeClaim") {
    const auto claim = event.about_name;
    claim_events_[claim][uid] = std::move(event);
    touch_all();
    return;
  }
  events_[about][uid] = std::move(event);
  touch_deployment(about);
  touch_owner_of_replica_set(about);
  touch_job(about);
  if (const auto pod = pod_owner_.find(about); pod != pod_owner_.end()) {
    touch_owner_of_replica_set(pod->second);
    touch_job(pod->second);
  }
}

void RolloutTracker::remove(const Object& object) {
  const auto kind = object.kind();
  const auto uid = uid_of(object);
  if (kind == "Deployment") {
    if (const auto found = deployments_.find(object.name()); found != deployments_.end() && found->second.uid == uid) {
      touch_deployment(uid);
      deployments_.erase(found);
      deployment_names_.erase(uid);
    }
  } else if (kind == "ReplicaSet") {
    if (const auto owner = replica_set_owner_.find(uid); owner != replica_set_owner_.end()) {
      touch_deployment(owner->second);
      erase_below(replica_sets_, owner->second, uid);
      replica_set_owner_.erase(owner);
    }
  } else if (kind == "Job") {
    if (const auto found = jobs_.find(object.name()); found != jobs_.end() && found->second.uid == uid) {
      touch_job(uid);
      jobs_.erase(found);
      job_names_.erase(uid);
    }
  } else if (kind == "Pod") {
    if (const auto owner = pod_owner_.find(uid); owner != pod_owner_.end()) {
      touch_owner_of_replica_set(owner->second);
      touch_job(owner->second);
      erase_below(pods_, owner->second, uid);
      pod_owner_.erase(owner);
    }
    events_.erase(uid);
  } else if (kind == "Event") {
    const auto about = json::Reader(object.body).at("involvedObject");
    erase_below(events_, about.at("uid").string_or(), uid);
    erase_below(claim_events_, about.at("name").string_or(), uid);
  }
}

void RolloutTracker::replace(std::string_view kind, std::span<const Object> objects) {
  touch_all();
  if (kind == "Deployment") {
    deployments_.clear();
    deployment_names_.clear();
  } else if (kind == "ReplicaSet") {
    replica_sets_.clear();
    replica_set_owner_.clear();
  } else if (kind == "Job") {
    jobs_.clear();
    job_names_.clear();
  } else if (kind == "Pod") {
    pods_.clear();
    pod_owner_.clear();
  } else if (kind == "Event") {
    events_.clear();
    claim_events_.clear();
  }
  for (const auto& object : objects) {
    put(object);
  }
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

void RolloutTracker::touch_owner_of_replica_set(const std::string& replica_set_uid) {
  if (const auto owner = replica_set_owner_.find(replica_set_uid); owner != replica_set_owner_.end()) {
    touch_deployment(owner->second);
  }
}

void RolloutTracker::touch_deployment(const std::string& uid) {
  const auto name = deployment_names_.find(uid);
  if (name == deployment_names_.end()) {
    return;
  }
  if (const auto index = followed_by_name_.find(name->second); index != followed_by_name_.end()) {
    touched_.insert(index->second);
  }
}

void RolloutTracker::touch_job(const std::string& uid) {
  const auto name = job_names_.find(uid);
  if (name == job_names_.end()) {
    return;
  }
  if (const auto index = followed_jobs_by_name_.find(name->second); index != followed_jobs_by_name_.end()) {
    touched_.insert(index->second);
  }
}

std::vector<RolloutChange> RolloutTracker::advance(Moment now) {
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
  const auto deployment = deployments_.find(followed.target.deployment);
  if (deployment == deployments_.end()) {
    if (followed.status) {  // it was there
      followed.findings = {verdict::deleted(followed.target.deployment, now)};
      tell_findings(followed, changes);
      decide(followed, RolloutResult::failed, changes);
    }
    return;
  }
  const auto evidence = evidence_for(followed, deployment->second);
  tell_status(followed, rollout_status(deployment->second, followed.target.written), changes);
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
  const auto job = jobs_.find(followed.target.deployment);
  if (job == jobs_.end()) {
    if (followed.status) {  // it was there
      followed.findings = {verdict::deleted_job(followed.target.deployment, now)};
      tell_findings(followed, changes);
      decide(followed, RolloutResult::failed, changes);
    }
    return;
  }
  const auto evidence = evidence_for(followed, job->second);
  tell_started_pods(followed, evidence, changes);
  tell_status(followed, {.phase = RolloutPhase::progressing, .desired = 1, .summary = describe(job->second)}, changes);
  if (job->second.is_complete()) {
    end_complete_job(followed, now, changes);
    return;
  }
  auto judgement = verdict::judge(evidence, followed.memory, now, rules_of(followed));
  followed.findings = std::move(judgement.findings);
  followed.wake_at = judgement.look_again;
  if (job->second.failure() != nullptr) {
    end_failed_job(followed, job->second, now, changes);
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

verdict::Evidence RolloutTracker::evidence_for(const Followed& followed, const Job& job) const {
  verdict::Evidence evidence{.job = &job, .written_at = followed.since, .images = &images_};
  add_events(job.uid, evidence);
  if (const auto pods = pods_.find(job.uid); pods != pods_.end()) {
    for (const auto& [uid, pod] : pods->second) {
      evidence.pods.push_back(&pod);
      add_events(uid, evidence);
      add_claim_events(pod, evidence);
    }
  }
  return evidence;
}

verdict::Evidence RolloutTracker::evidence_for(const Followed& followed, const Deployment& deployment) const {
  verdict::Evidence evidence{.deployment = &deployment,
                             .written = followed.target.written,
                             .written_at = followed.since,
                             .paused_on_purpose = followed.target.paused_on_purpose,
                             .images = &images_};
  add_events(deployment.uid, evidence);
  // As long as what is known of it is older than our write, its newest pods are those of the write before.
  if (deployment.generation < followed.target.written.generation) {
    return evidence;
  }
  const auto replica_sets = replica_sets_of(deployment);
  evidence.replica_set = new_replica_set(deployment, replica_sets);
  for (const auto* replica_set : replica_sets) {
    add_pods(*replica_set, evidence);
  }
  return evidence;
}

std::vector<const ReplicaSet*> RolloutTracker::replica_sets_of(const Deployment& deployment) const {
  std::vector<const ReplicaSet*> found;
  if (const auto owned = replica_sets_.find(deployment.uid); owned != replica_sets_.end()) {
    for (const auto& [uid, replica_set] : owned->second) {
      found.push_back(&replica_set);
    }
  }
  return found;
}

// Pods on their way out say nothing about the new revision, but those of old ones tell that room will be made.
void RolloutTracker::add_pods(const ReplicaSet& replica_set, verdict::Evidence& evidence) const {
  const bool is_new = &replica_set == evidence.replica_set;
  if (!is_new && replica_set.replicas > replica_set.desired) {
    evidence.old_pods_are_leaving = true;
  }
  if (is_new) {
    add_events(replica_set.uid, evidence);
  }
  const auto pods = pods_.find(replica_set.uid);
  if (pods == pods_.end()) {
    return;
  }
  for (const auto& [uid, pod] : pods->second) {
    if (is_new && !pod.is_terminating) {
      evidence.pods.push_back(&pod);
      add_events(uid, evidence);
      add_claim_events(pod, evidence);
    } else if (!is_new) {
      ++evidence.old_pods;
      if (pod.is_terminating) {
        evidence.old_pods_are_leaving = true;
        evidence.ending_old_pods.push_back(&pod);
      }
    }
  }
}

void RolloutTracker::add_events(const std::string& uid, verdict::Evidence& evidence) const {
  if (const auto found = events_.find(uid); found != events_.end()) {
    for (const auto& [event_uid, event] : found->second) {
      evidence.events.push_back(&event);
    }
  }
}

// Two pods may share a claim.
void RolloutTracker::add_claim_events(const Pod& pod, verdict::Evidence& evidence) const {
  for (const auto& claim : pod.claims) {
    const auto found = claim_events_.find(claim);
    if (found == claim_events_.end()) {
      continue;
    }
    for (const auto& [uid, event] : found->second) {
      if (std::ranges::find(evidence.events, &event) == evidence.events.end()) {
        evidence.events.push_back(&event);
      }
    }
  }
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

std::string RolloutTracker::known_version(const Object& object) const {
  if (object.kind() == "Deployment") {
    const auto known = deployments_.find(object.name());
    return known == deployments_.end() ? std::string() : known->second.resource_version;
  }
  if (object.kind() == "Job") {
    const auto known = jobs_.find(object.name());
    return known == jobs_.end() ? std::string() : known->second.resource_version;
  }
  const auto uid = uid_of(object);
  const auto owner = pod_owner_.find(uid);
  return owner == pod_owner_.end() ? std::string() : pods_.at(owner->second).at(uid).resource_version;
}

std::string RolloutTracker::pod_template_hash(const std::string& deployment) const {
  const auto found = deployments_.find(deployment);
  if (found == deployments_.end()) {
    return {};
  }
  const auto* replica_set = new_replica_set(found->second, replica_sets_of(found->second));
  return replica_set == nullptr ? std::string() : replica_set->pod_template_hash;
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
