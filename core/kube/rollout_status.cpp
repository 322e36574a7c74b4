// The formula is that of `kubectl rollout status` (kubectl/pkg/polymorphichelpers/rollout_status.go) with one addition:
// numbers only count once the controller has observed the generation that our own write made.
#include "core/kube/rollout_status.hpp"

#include "core/json/reader.hpp"
#include "core/kube/decode.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::kube {
namespace {

struct Standing {
  RolloutPhase phase;
  std::string summary;
};

// Old replicas that cannot serve are taken away first: while some replica is not available, it is the new ones that are
// waited for.
std::string waiting_with_old_replicas(const Deployment& deployment) {
  const auto old = deployment.replicas - deployment.updated;
  return deployment.available < deployment.replicas
             ? fmt::format("waiting for new replicas to become available, then for {} old to go", old)
             : fmt::format("waiting for {} old replicas to go", old);
}

Standing standing_of_numbers(const Deployment& deployment) {
  if (deployment.updated < deployment.desired) {
    return {RolloutPhase::progressing,
            fmt::format("{} of {} new replicas have been created", deployment.updated, deployment.desired)};
  }
  if (deployment.replicas > deployment.updated) {
    return {RolloutPhase::progressing, waiting_with_old_replicas(deployment)};
  }
  if (deployment.updated > deployment.desired) {
    return {RolloutPhase::progressing,
            fmt::format("scaling down to {} replicas, {} are there", deployment.desired, deployment.updated)};
  }
  if (deployment.available != deployment.desired) {
    return {RolloutPhase::progressing, fmt::format("waiting for {} of {} new replicas to become available",
                                                   deployment.desired - deployment.available, deployment.desired)};
  }
  return {RolloutPhase::done, fmt::format("{} of {} replicas are available", deployment.available, deployment.desired)};
}

Standing standing(const Deployment& deployment, const WrittenState& written) {
  if (deployment.uid != written.uid) {
    return {RolloutPhase::superseded, "the deployment was deleted and made anew"};
  }
  if (deployment.generation > written.generation && deployment.pod_template != written.pod_template) {
    const auto& writer = deployment.last_writer;
    return {RolloutPhase::superseded, writer.empty() ? "the deployment was changed by someone else"
                                                     : fmt::format("the deployment was changed by {}", writer)};
  }
  if (deployment.generation < written.generation || deployment.observed_generation < deployment.generation) {
    return {RolloutPhase::unobserved, "waiting for the deployment controller"};
  }
  if (deployment.is_paused) {
    return {RolloutPhase::paused, "the deployment is paused"};
  }
  return standing_of_numbers(deployment);
}

}  // namespace

WrittenState written_state(const json::Value& reply) {
  const json::Reader root(reply);
  return {.uid = root.at("metadata", "uid").string_or(),
          .generation = root.at("metadata", "generation").integer_or(),
          .pod_template = hash_of_template(root.at("spec", "template")),
          .time = newest_write(root.at("metadata")).time};
}

RolloutStatus rollout_status(const Deployment& deployment, const WrittenState& written) {
  auto [phase, summary] = standing(deployment, written);
  return {.phase = phase,
          .desired = deployment.desired,
          .updated = deployment.updated,
          .ready = deployment.ready,
          .available = deployment.available,
          .old = std::max(0, deployment.replicas - deployment.updated),
          .summary = std::move(summary)};
}

namespace {

// kubectl's formula for StatefulSets: with a partition only the pods at or above it are replaced; their count is
// updatedReplicas.
Standing standing(const StatefulSet& set, long long written_generation) {
  if (set.observed_generation < std::max(set.generation, written_generation)) {
    return {RolloutPhase::unobserved, "waiting for the stateful set controller"};
  }
  if (set.ready < set.desired) {
    return {RolloutPhase::progressing,
            fmt::format("waiting for {} of {} replicas to become ready", set.desired - set.ready, set.desired)};
  }
  if (set.is_on_delete) {
    return {RolloutPhase::done, "pods are replaced when they are deleted (OnDelete)"};
  }
  const int to_update = std::max(0, set.desired - set.partition);
  if (set.partition > 0) {
    return set.updated < to_update
               ? Standing{RolloutPhase::progressing,
                          fmt::format("{} of {} replicas above the partition are updated", set.updated, to_update)}
               : Standing{RolloutPhase::done, fmt::format("{} replicas above the partition are updated", to_update)};
  }
  if (set.update_revision != set.current_revision) {
    return {RolloutPhase::progressing, fmt::format("{} of {} replicas are updated", set.updated, set.desired)};
  }
  if (set.available < set.desired || set.replicas != set.desired) {
    return {RolloutPhase::progressing,
            fmt::format("waiting for {} of {} replicas to become available", set.desired - set.available, set.desired)};
  }
  return {RolloutPhase::done, fmt::format("{} of {} replicas are available", set.available, set.desired)};
}

}  // namespace

RolloutStatus rollout_status(const StatefulSet& stateful_set, long long written_generation) {
  auto [phase, summary] = standing(stateful_set, written_generation);
  return {.phase = phase,
          .desired = stateful_set.desired,
          .updated = stateful_set.updated,
          .ready = stateful_set.ready,
          .available = stateful_set.available,
          .old = std::max(0, stateful_set.replicas - stateful_set.updated),
          .summary = std::move(summary)};
}

const ReplicaSet* new_replica_set(const Deployment& deployment, std::span<const ReplicaSet* const> replica_sets) {
  const ReplicaSet* found = nullptr;
  for (const auto* candidate : replica_sets) {
    const bool is_ours = candidate->owner_uid == deployment.uid && candidate->pod_template == deployment.pod_template;
    if (is_ours &&
        (found == nullptr || std::tie(candidate->created, candidate->name) < std::tie(found->created, found->name))) {
      found = candidate;
    }
  }
  return found;
}

}  // namespace deployctl::kube
