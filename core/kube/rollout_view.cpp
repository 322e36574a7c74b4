// Objects are kept by whom they belong to, so that a change of one pod is an assessment of one Deployment: following a
// thousand costs what changes, not what there is.
#include "core/kube/rollout_view.hpp"

#include "core/json/reader.hpp"

#include <algorithm>
#include <utility>

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

}  // namespace

void RolloutView::put(const Object& object) {
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

void RolloutView::put_deployment(const Object& object) {
  auto deployment = Deployment::from_json(object.body);
  deployment_names_[deployment.uid] = deployment.name;
  touch_deployment(deployment.uid);
  auto& place = deployments_[deployment.name];
  place = std::move(deployment);
}

void RolloutView::put_replica_set(const Object& object) {
  auto replica_set = ReplicaSet::from_json(object.body);
  const auto owner = replica_set.owner_uid;
  const auto uid = replica_set.uid;
  replica_set_owner_[uid] = owner;
  replica_sets_[owner][uid] = std::move(replica_set);
  touch_deployment(owner);
}

void RolloutView::put_job(const Object& object) {
  auto job = Job::from_json(object.body);
  job_names_[job.uid] = job.name;
  touch_job(job.uid);
  auto& place = jobs_[job.name];
  place = std::move(job);
}

void RolloutView::put_pod(const Object& object) {
  auto pod = Pod::from_json(object.body);
  const auto owner = pod.owner_uid;
  const auto uid = pod.uid;
  pod_owner_[uid] = owner;
  pods_[owner][uid] = std::move(pod);
  touch_owner_of_replica_set(owner);
  touch_job(owner);
}

// An event may come before the object it is about; then its arrival is what touches the deployment.
void RolloutView::put_event(const Object& object) {
  auto event = Event::from_json(object.body);
  const auto about = event.about_uid;
  if (about.empty()) {
    return;
  }
  const auto uid = event.uid;
  if (event.about_kind == "PersistentVolumeClaim") {
    const auto claim = event.about_name;
    claim_events_[claim][uid] = std::move(event);
    touched_.is_all = true;
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

void RolloutView::remove(const Object& object) {
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

void RolloutView::replace(std::string_view kind, std::span<const Object> objects) {
  touched_.is_all = true;
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

const Deployment* RolloutView::deployment(const std::string& name) const {
  const auto found = deployments_.find(name);
  return found == deployments_.end() ? nullptr : &found->second;
}

const Job* RolloutView::job(const std::string& name) const {
  const auto found = jobs_.find(name);
  return found == jobs_.end() ? nullptr : &found->second;
}

verdict::Evidence RolloutView::evidence_for(const Deployment& deployment, const WrittenState& written) const {
  verdict::Evidence evidence{.deployment = &deployment, .written = written};
  add_events(deployment.uid, evidence);
  // As long as what is known of it is older than our write, its newest pods are those of the write before.
  if (deployment.generation < written.generation) {
    return evidence;
  }
  const auto replica_sets = replica_sets_of(deployment);
  evidence.replica_set = new_replica_set(deployment, replica_sets);
  for (const auto* replica_set : replica_sets) {
    add_pods(*replica_set, evidence);
  }
  return evidence;
}

verdict::Evidence RolloutView::evidence_for(const Job& job) const {
  verdict::Evidence evidence{.job = &job};
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

std::vector<const ReplicaSet*> RolloutView::replica_sets_of(const Deployment& deployment) const {
  std::vector<const ReplicaSet*> found;
  if (const auto owned = replica_sets_.find(deployment.uid); owned != replica_sets_.end()) {
    for (const auto& [uid, replica_set] : owned->second) {
      found.push_back(&replica_set);
    }
  }
  return found;
}

// Pods on their way out say nothing about the new revision, but those of old ones tell that room will be made.
void RolloutView::add_pods(const ReplicaSet& replica_set, verdict::Evidence& evidence) const {
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

void RolloutView::add_events(const std::string& uid, verdict::Evidence& evidence) const {
  if (const auto found = events_.find(uid); found != events_.end()) {
    for (const auto& [event_uid, event] : found->second) {
      evidence.events.push_back(&event);
    }
  }
}

// Two pods may share a claim.
void RolloutView::add_claim_events(const Pod& pod, verdict::Evidence& evidence) const {
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

std::string RolloutView::known_version(const Object& object) const {
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

std::string RolloutView::pod_template_hash(const std::string& deployment) const {
  const auto found = deployments_.find(deployment);
  if (found == deployments_.end()) {
    return {};
  }
  const auto* replica_set = new_replica_set(found->second, replica_sets_of(found->second));
  return replica_set == nullptr ? std::string() : replica_set->pod_template_hash;
}

RolloutView::Touched RolloutView::take_touched() {
  return std::exchange(touched_, {});
}

void RolloutView::touch_owner_of_replica_set(const std::string& replica_set_uid) {
  if (const auto owner = replica_set_owner_.find(replica_set_uid); owner != replica_set_owner_.end()) {
    touch_deployment(owner->second);
  }
}

void RolloutView::touch_deployment(const std::string& uid) {
  if (const auto name = deployment_names_.find(uid); name != deployment_names_.end()) {
    touched_.deployments.insert(name->second);
  }
}

void RolloutView::touch_job(const std::string& uid) {
  if (const auto name = job_names_.find(uid); name != job_names_.end()) {
    touched_.jobs.insert(name->second);
  }
}

}  // namespace deployctl::kube
