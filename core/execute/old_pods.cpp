#include "core/execute/old_pods.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/kube/deployment.hpp"
#include "core/kube/pod.hpp"
#include "core/kube/resource.hpp"
#include "core/kube/rollout_status.hpp"

#include <vector>

namespace deployctl::execute {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::chrono::milliseconds between_looks{1'000};

// The uid of the replica set that has the current pods.
Result<std::string> current_owner(const OldPods& pods, cluster::Client& client, const Ports& ports) {
  const auto live = client.get(pods.deployment, ports.stop);
  if (!live) {
    return live.error();
  }
  const auto listed = client.list({.resource = kube::resource_of("ReplicaSet"),
                                   .name_space = pods.deployment.name_space,
                                   .label_selector = pods.label_selector},
                                  ports.stop);
  if (!listed) {
    return listed.error();
  }
  std::vector<kube::ReplicaSet> sets;
  for (const auto& each : listed->items) {
    sets.push_back(kube::ReplicaSet::from_json(each.body));
  }
  std::vector<const kube::ReplicaSet*> pointers;
  for (const auto& set : sets) {
    pointers.push_back(&set);
  }
  const auto* current = kube::new_replica_set(kube::Deployment::from_json(live->body), pointers);
  if (current == nullptr) {
    return Error::failed("{} has no replica set of its own pods", kube::to_string(pods.deployment));
  }
  return current->uid;
}

Result<std::vector<std::string>> old_pods(const OldPods& pods, const std::string& owner, cluster::Client& client,
                                          const Ports& ports) {
  const auto listed = client.list({.resource = kube::resource_of("Pod"),
                                   .name_space = pods.deployment.name_space,
                                   .label_selector = pods.label_selector},
                                  ports.stop);
  if (!listed) {
    return listed.error();
  }
  std::vector<std::string> names;
  for (const auto& each : listed->items) {
    const auto pod = kube::Pod::from_json(each.body);
    if (pod.owner_uid != owner && !pod.has_ended()) {
      names.push_back(kube::to_string(each.key()));
    }
  }
  return names;
}

}  // namespace

Status await_old_pods_gone(const OldPods& pods, cluster::Client& client, const Ports& ports) {
  const auto owner = current_owner(pods, client, ports);
  if (!owner) {
    return owner.error();
  }
  const auto end = ports.clock.steady_now() + pods.deadline;
  for (bool is_told = false;; is_told = true) {
    const auto left = old_pods(pods, *owner, client, ports);
    if (!left) {
      return left.error();
    }
    if (left->empty()) {
      return {};
    }
    if (ports.clock.steady_now() >= end) {
      return Error::make(base::ErrorCode::rollout_undecided, "old pods are still there after {}: {}",
                         base::to_string(pods.deadline), base::join(*left, ", "))
          .with_hint(
              "they end what they have begun, or their node does not answer; the next rollout waits for them again");
    }
    if (!is_told) {
      ports.events.emit(
          events::Note{events::Note::Level::info, "waiting for old pods to go: " + base::join(*left, ", ")});
    }
    ports.clock.sleep_for(between_looks, ports.stop);
    if (ports.stop.stop_requested()) {
      return Error::interrupted();
    }
  }
}

}  // namespace deployctl::execute
