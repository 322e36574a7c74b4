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

template <typename T>
void RolloutView::Named<T>::put(T object) {
  name_of[object.uid] = object.name;
  auto& place = by_name[object.name];
  place = std::move(object);
}

// One that was made anew under the name stays.
template <typename T>
void RolloutView::Named<T>::remove(const std::string& name, const std::string& uid) {
  if (const auto found = by_name.find(name); found != by_name.end() && found->second.uid == uid) {
    by_name.erase(found);
    name_of.erase(uid);
  }
}

template <typename T>
void RolloutView::Named<T>::clear() {
  by_name.clear();
  name_of.clear();
}

template <typename T>
const T* RolloutView::Named<T>::find(const std::string& name) const {
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : &found->second;
}

template <typename T>
std::string RolloutView::Named<T>::version(const std::string& name) const {
  const auto* known = find(name);
  return known == nullptr ? std::string() : known->resource_version;
}

template <typename T>
void RolloutView::Owned<T>::put(T object) {
  owner_of[object.uid] = object.owner_uid;
  auto& place = by_owner[object.owner_uid][object.uid];
  place = std::move(object);
}

template <typename T>
void RolloutView::Owned<T>::remove(const std::string& uid) {
  if (const auto owner = owner_of.find(uid); owner != owner_of.end()) {
    erase_below(by_owner, owner->second, uid);
    owner_of.erase(owner);
  }
}

template <typename T>
void RolloutView::Owned<T>::clear() {
  by_owner.clear();
  owner_of.clear();
}

template <typename T>
std::string RolloutView::Owned<T>::owner(const std::string& uid) const {
  const auto found = owner_of.find(uid);
  return found == owner_of.end() ? std::string() : found->second;
}

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
  } else if (kind == "ResourceQuota") {
    put_quota(object);
  }
}

void RolloutView::put_deployment(const Object& object) {
  auto deployment = Deployment::from_json(object.body);
  const auto uid = deployment.uid;
  deployments_.put(std::move(deployment));
  touch_deployment(uid);
}

void RolloutView::put_replica_set(const Object& object) {
  auto replica_set = ReplicaSet::from_json(object.body);
  const auto owner = replica_set.owner_uid;
  replica_sets_.put(std::move(replica_set));
  touch_deployment(owner);
}

void RolloutView::put_job(const Object& object) {
  auto job = Job::from_json(object.body);
  const auto uid = job.uid;
  jobs_.put(std::move(job));
  touch_job(uid);
}

void RolloutView::put_pod(const Object& object) {
  auto pod = Pod::from_json(object.body);
  const auto owner = pod.owner_uid;
  pods_.put(std::move(pod));
  touch_owner_of_pod(owner);
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
  touch_owner_of_pod(about);
  touch_owner_of_pod(pods_.owner(about));
}

// Whom it refuses pods, it does not say.
void RolloutView::put_quota(const Object& object) {
  if (!quotas_) {
    quotas_.emplace();
  }
  quotas_->insert_or_assign(object.name(), Quota::from_json(object.body));
  touched_.is_all = true;
}

void RolloutView::remove(const Object& object) {
  const auto kind = object.kind();
  const auto uid = uid_of(object);
  if (kind == "Deployment") {
    touch_deployment(uid);
    deployments_.remove(object.name(), uid);
  } else if (kind == "ReplicaSet") {
    touch_deployment(replica_sets_.owner(uid));
    replica_sets_.remove(uid);
  } else if (kind == "Job") {
    touch_job(uid);
    jobs_.remove(object.name(), uid);
  } else if (kind == "Pod") {
    touch_owner_of_pod(pods_.owner(uid));
    pods_.remove(uid);
    events_.erase(uid);
  } else if (kind == "Event") {
    const auto about = json::Reader(object.body).at("involvedObject");
    erase_below(events_, about.at("uid").string_or(), uid);
    erase_below(claim_events_, about.at("name").string_or(), uid);
  } else if (kind == "ResourceQuota" && quotas_) {
    quotas_->erase(object.name());
    touched_.is_all = true;
  }
}

void RolloutView::replace(std::string_view kind, std::span<const Object> objects) {
  touched_.is_all = true;
  if (kind == "Deployment") {
    deployments_.clear();
  } else if (kind == "ReplicaSet") {
    replica_sets_.clear();
  } else if (kind == "Job") {
    jobs_.clear();
  } else if (kind == "Pod") {
    pods_.clear();
  } else if (kind == "Event") {
    events_.clear();
    claim_events_.clear();
  } else if (kind == "ResourceQuota") {
    quotas_.emplace();
  }
  for (const auto& object : objects) {
    put(object);
  }
}

const Deployment* RolloutView::deployment(const std::string& name) const {
  return deployments_.find(name);
}

const Job* RolloutView::job(const std::string& name) const {
  return jobs_.find(name);
}

verdict::Evidence RolloutView::evidence_for(const Deployment& deployment, const WrittenState& written) const {
  verdict::Evidence evidence{.deployment = &deployment, .written = written, .quotas = quotas()};
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
  verdict::Evidence evidence{.job = &job, .quotas = quotas()};
  add_events(job.uid, evidence);
  if (const auto pods = pods_.by_owner.find(job.uid); pods != pods_.by_owner.end()) {
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
  if (const auto owned = replica_sets_.by_owner.find(deployment.uid); owned != replica_sets_.by_owner.end()) {
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
  const auto pods = pods_.by_owner.find(replica_set.uid);
  if (pods == pods_.by_owner.end()) {
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
    return deployments_.version(object.name());
  }
  if (object.kind() == "Job") {
    return jobs_.version(object.name());
  }
  const auto uid = uid_of(object);
  const auto owner = pods_.owner_of.find(uid);
  return owner == pods_.owner_of.end() ? std::string() : pods_.by_owner.at(owner->second).at(uid).resource_version;
}

std::string RolloutView::pod_template_hash(const std::string& name) const {
  const auto* deployment = deployments_.find(name);
  const auto* replica_set =
      deployment == nullptr ? nullptr : new_replica_set(*deployment, replica_sets_of(*deployment));
  return replica_set == nullptr ? std::string() : replica_set->pod_template_hash;
}

RolloutView::Touched RolloutView::take_touched() {
  return std::exchange(touched_, {});
}

// A replica set or a Job.
void RolloutView::touch_owner_of_pod(const std::string& uid) {
  touch_deployment(replica_sets_.owner(uid));
  touch_job(uid);
}

void RolloutView::touch_deployment(const std::string& uid) {
  if (const auto name = deployments_.name_of.find(uid); name != deployments_.name_of.end()) {
    touched_.deployments.insert(name->second);
  }
}

void RolloutView::touch_job(const std::string& uid) {
  if (const auto name = jobs_.name_of.find(uid); name != jobs_.name_of.end()) {
    touched_.jobs.insert(name->second);
  }
}

}  // namespace deployctl::kube
