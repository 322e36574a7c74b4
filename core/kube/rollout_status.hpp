// Where a rollout stands, computed from the objects alone: no time, no waiting, no opinion about causes (verdict.hpp).
#pragma once

#include "core/kube/deployment.hpp"

#include <span>
#include <string>

namespace deployctl::kube {

enum class RolloutPhase {
  unobserved,   // the controller has not seen our write yet
  paused,       // spec.paused: nothing will happen until it is resumed
  progressing,  // pods are being replaced
  done,
  superseded,  // someone has changed the pods since our write
};

struct RolloutStatus {
  RolloutPhase phase = RolloutPhase::unobserved;
  int desired = 0;
  int updated = 0;
  int ready = 0;
  int available = 0;
  int old = 0;          // replicas of earlier revisions that are still there
  std::string summary;  // "waiting for 1 of 3 updated replicas to become available"

  friend bool operator==(const RolloutStatus&, const RolloutStatus&) = default;
};

// What our write left behind, from the API server's reply to it: later states are compared with this.
struct WrittenState {
  std::string uid;
  long long generation = 0;
  TemplateHash pod_template = 0;
  std::string time;  // of the write, by the server's clock: RFC 3339, may be empty
};
WrittenState written_state(const json::Value& reply);

// Done when the controller has observed our generation or a later one, and updated = replicas = available = desired
// (the formula of `kubectl rollout status`). A later generation with the same pod template, such as an autoscaler's
// change of spec.replicas, is still our rollout; another template or another uid has superseded it.
RolloutStatus rollout_status(const Deployment& deployment, const WrittenState& written);

// The same for a StatefulSet: partition and OnDelete are done when everything they let through is.
RolloutStatus rollout_status(const StatefulSet& stateful_set, long long written_generation);

// The replica set the deployment's current template belongs to: owned by it, same template; the oldest of several.
// Null while the controller has not made it.
const ReplicaSet* new_replica_set(const Deployment& deployment, std::span<const ReplicaSet* const> replica_sets);

}  // namespace deployctl::kube
