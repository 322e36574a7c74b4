// Why a rollout does not come to its end: replica sets, pods and events to findings that name the cause.
//
// Judging is pure. Time is an argument, on any clock that never jumps; what has to be remembered between two looks is a
// Memory, which the caller keeps for one rollout. rules() says how long and how often a sign must be seen before it is
// believed (verdict_rules.cpp; docs/verdicts.md is made from it); the code that recognises signs is in the files
// signs_*.cpp.
#pragma once

#include "core/kube/deployment.hpp"
#include "core/kube/job.hpp"
#include "core/kube/pod.hpp"
#include "core/kube/quota.hpp"
#include "core/kube/rollout_status.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube::verdict {

// Time since some beginning; only differences matter.
using Moment = std::chrono::milliseconds;

enum class Weight {
  waiting,    // worth showing; often passes by itself
  probable,   // the likely cause, should the rollout not come to its end
  permanent,  // nothing but a change can help
};
std::string_view to_string(Weight weight);

// When a sign is believed: seen `attempts` times and for `after`; or for `at_latest`, however often.
struct Threshold {
  int attempts = 1;
  Moment after{0};
  std::optional<Moment> at_latest;
};

// Whether attempts of several pods add up.
enum class Counting { per_object, across_objects };

// Whether a finding is probable as soon as one pod shows it, or only when all do.
enum class Reach { one_pod, every_pod };

// What kind of trouble a cause is, for whoever has to act on it.
enum class Class {
  image,          // it cannot be had: name, registry, credentials, platform
  configuration,  // something the pod names is missing or does not fit
  crash,          // the program ends or cannot be started
  probe,          // it runs and is not ready, or is killed for it
  unschedulable,  // no node for it
  volume,         // storage cannot be had or mounted
  denied,         // the cluster's policy or quota does not let the pods in
  node,           // trouble of a machine
  controller,     // a part of the cluster does not act
  paused,
  superseded,  // somebody else has changed or deleted the deployment
};
std::string_view to_string(Class of_rule);

// One cause: what makes it probable, what makes it permanent. Neither: it is only ever shown as waiting.
struct Rule {
  std::string_view name;  // "image-not-found"
  Class kind = Class::crash;
  std::optional<Threshold> probable;
  std::optional<Threshold> permanent;
  Counting counting = Counting::per_object;
  Reach reach = Reach::one_pod;
  std::string_view advice;
};

// The rules in the order in which findings are listed.
std::span<const Rule> default_rules();

// How long the signs of single rules may last before the rollout fails for them, by the name of the rule; nothing: it
// never does.
using Patience = std::map<std::string, std::optional<Moment>>;
// The default rules with that patience. How often a sign must be seen stays as it is.
std::vector<Rule> rules_with(const Patience& patience);

// A state that is as it should be at first is named when it has lasted so long (K8S-76).
inline constexpr Moment naming_time{5'000};

// What the registry itself says about an image.
enum class ImageAnswer { exists, missing, denied };

struct Finding {
  std::string rule;
  Class kind = Class::crash;
  Weight weight = Weight::waiting;
  std::string object;     // "pod/api-7d9f-x2x"
  std::string field;      // where in the object it stands: "status.containerStatuses[api].state"; "events": beside it
  std::string container;  // empty when it is not about one
  std::string node;       // of the pod; empty: none
  std::string image;      // that could not be pulled
  std::string reason;     // "ImagePullBackOff"
  std::string message;
  std::string advice;
  int affected = 1;  // pods that show it
  int total = 1;     // pods of the new revision
  int attempts = 1;  // how often one of them has shown it
  Moment first_seen{0};
  bool is_usual = false;  // a state as it should be at first, which has lasted

  friend bool operator==(const Finding&, const Finding&) = default;
};

// What is known about one rollout at one moment. Pods and events of other revisions are not in it. Pods of this one may
// be older than the write: it was written again after it had failed. What they did before counts once they do it again.
struct Evidence {
  const Deployment* deployment = nullptr;   // null for a Job
  const Job* job = nullptr;                 // null for a Deployment; never both
  const ReplicaSet* replica_set = nullptr;  // the new one; null while there is none
  std::vector<const Pod*> pods;             // of the new replica set
  std::vector<const Event*> events;         // about the deployment, the new replica set, its pods and their claims
  int old_pods = 0;                         // of earlier revisions, still there
  bool old_pods_are_leaving = false;
  std::vector<const Pod*> ending_old_pods;  // that have been told to end
  WrittenState written;
  Moment written_at{0};
  bool paused_on_purpose = false;
  const std::map<std::string, ImageAnswer>* images = nullptr;  // what registries have said; may be null
  const Quotas* quotas = nullptr;                              // of the namespace; null: not looked at
};

// What must be remembered from one look to the next.
class Memory {
 public:
  struct Sighting {
    Moment first_seen{0};
  };
  struct ContainerHistory {
    Moment first_started{0};
    std::optional<Moment> ready_since;
    bool has_started = false;
    bool was_ready = false;  // for long enough, or by its own readiness probe
    bool exits_differ = false;
    int known_exits = 0;
    int last_exit_code = 0;
    int pull_attempts = 0;
    std::string last_waiting_reason;
    std::string pull_message;  // why the image could not be pulled, as last told
  };

  Sighting& sighting(const std::string& key, Moment now);
  ContainerHistory& container(const std::string& pod_uid, const std::string& name);
  [[nodiscard]] const ContainerHistory* find_container(const std::string& pod_uid, const std::string& name) const;
  // Sightings that the last look did not confirm are forgotten.
  void keep_only(const std::vector<std::string>& keys);

 private:
  std::map<std::string, Sighting> sightings_;
  std::map<std::pair<std::string, std::string>, ContainerHistory> containers_;
};

struct Judgement {
  std::vector<Finding> findings;     // one per rule, heaviest first
  std::optional<Moment> look_again;  // when time alone would change something
};

Judgement judge(const Evidence& evidence, Memory& memory, Moment now, std::span<const Rule> rules = default_rules());

// The deployment is gone.
Finding deleted(std::string_view deployment, Moment now);
// The Job is gone.
Finding deleted_job(std::string_view job, Moment now);
// The Job has failed, and nothing better is known than what its own condition says.
Finding failed_job(const Job& job, Moment now);

// A container of the new revision has failed before and has not yet run for long: a rollout whose numbers are right at
// this instant may only be between two crashes. The moment at which it has run long enough, if nothing else happens.
std::optional<Moment> unsettled_until(const Evidence& evidence, const Memory& memory);

}  // namespace deployctl::kube::verdict
