// What a stream of object changes has shown of the Deployments and Jobs of one namespace and of all that belongs to
// them, and which of them a change was about. Judges nothing: rollout_tracker.hpp does.
#pragma once

#include "core/kube/deployment.hpp"
#include "core/kube/job.hpp"
#include "core/kube/object.hpp"
#include "core/kube/pod.hpp"
#include "core/kube/quota.hpp"
#include "core/kube/rollout_status.hpp"
#include "core/kube/verdict.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace deployctl::kube {

class RolloutView {
 public:
  // The object as it is now, or its end. Deployments, ReplicaSets, Jobs, Pods, Events and ResourceQuotas; other kinds
  // are ignored.
  void put(const Object& object);
  void remove(const Object& object);
  // All objects of a kind: those that are not among them are gone.
  void replace(std::string_view kind, std::span<const Object> objects);

  // Null for one that is not there.
  [[nodiscard]] const Deployment* deployment(const std::string& name) const;
  [[nodiscard]] const Job* job(const std::string& name) const;

  // What there is to judge it by. Points into the view: true until the next change. As long as what is known of a
  // Deployment is older than `written`, there are no pods.
  [[nodiscard]] verdict::Evidence evidence_for(const Deployment& deployment, const WrittenState& written) const;
  [[nodiscard]] verdict::Evidence evidence_for(const Job& job) const;

  // The resource version in which this Deployment, Job or Pod was put last; empty when it never was.
  [[nodiscard]] std::string known_version(const Object& object) const;
  // The value of that label on the pods of the deployment's new replica set; empty while there is none.
  [[nodiscard]] std::string pod_template_hash(const std::string& deployment) const;

  // Names of those that the changes since the last call were about.
  struct Touched {
    bool is_all = false;
    std::set<std::string> deployments;
    std::set<std::string> jobs;
  };
  Touched take_touched();

 private:
  // What is asked for by its name; the uid tells the name that it is known by.
  template <typename T>
  struct Named {
    void put(T object);
    void remove(const std::string& name, const std::string& uid);
    void clear();
    [[nodiscard]] const T* find(const std::string& name) const;
    [[nodiscard]] std::string version(const std::string& name) const;  // empty when it is not there

    std::unordered_map<std::string, T> by_name;
    std::unordered_map<std::string, std::string> name_of;  // by uid
  };

  // What belongs to something else, whose uid it names.
  template <typename T>
  struct Owned {
    void put(T object);
    void remove(const std::string& uid);
    void clear();
    [[nodiscard]] std::string owner(const std::string& uid) const;  // empty when it is not there

    std::unordered_map<std::string, std::map<std::string, T>> by_owner;  // then by uid
    std::unordered_map<std::string, std::string> owner_of;               // by uid
  };

  template <typename T>
  using ByOwner = std::unordered_map<std::string, std::map<std::string, T>>;

  void put_deployment(const Object& object);
  void put_replica_set(const Object& object);
  void put_job(const Object& object);
  void put_pod(const Object& object);
  void put_event(const Object& object);
  void put_quota(const Object& object);
  void touch_owner_of_pod(const std::string& uid);
  void touch_deployment(const std::string& uid);
  void touch_job(const std::string& uid);
  [[nodiscard]] std::vector<const ReplicaSet*> replica_sets_of(const Deployment& deployment) const;
  [[nodiscard]] const Quotas* quotas() const { return quotas_ ? &*quotas_ : nullptr; }
  void add_pods(const ReplicaSet& replica_set, verdict::Evidence& evidence) const;
  void add_events(const std::string& uid, verdict::Evidence& evidence) const;
  void add_claim_events(const Pod& pod, verdict::Evidence& evidence) const;

  Touched touched_;
  Named<Deployment> deployments_;
  Named<Job> jobs_;
  Owned<ReplicaSet> replica_sets_;  // of Deployments
  Owned<Pod> pods_;                 // of replica sets and Jobs
  ByOwner<Event> events_;           // by uid of what it is about, then uid
  ByOwner<Event> claim_events_;     // by name of the claim, then uid
  std::optional<Quotas> quotas_;    // nothing: not looked at
};

}  // namespace deployctl::kube
