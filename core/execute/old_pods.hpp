// The pods that a rollout has replaced. A rollout is done while they still end what they have begun; what takes away
// something they need waits until the last of them is gone.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/object.hpp"

#include <chrono>
#include <string>

namespace deployctl::execute {

struct OldPods {
  kube::ObjectKey deployment;  // whose current pods are the new ones
  std::string label_selector;  // of all pods of the service
  std::chrono::milliseconds deadline{300'000};
};

// Waits until no pod of the service runs that is not the Deployment's current one. rollout_undecided, naming those that
// are left, when that takes longer than the deadline.
base::Status await_old_pods_gone(const OldPods& pods, cluster::Client& client, const Ports& ports);

}  // namespace deployctl::execute
