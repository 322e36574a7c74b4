#include "core/kube/rollout_status.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

constexpr WrittenState written{.uid = "u1", .generation = 5, .pod_template = 77};

Deployment deployment(int desired, int updated, int replicas, int available) {
  return {.name = "api",
          .uid = "u1",
          .generation = 5,
          .observed_generation = 5,
          .desired = desired,
          .replicas = replicas,
          .updated = updated,
          .ready = available,
          .available = available,
          .pod_template = 77};
}

struct Row {
  Deployment deployment;
  RolloutPhase phase;
  std::string summary;
};

TEST(RolloutStatus, FollowsTheFormula) {
  auto unobserved = deployment(3, 3, 3, 3);
  unobserved.observed_generation = 4;
  auto older = deployment(3, 3, 3, 3);
  older.generation = older.observed_generation = 4;
  auto paused = deployment(3, 0, 3, 3);
  paused.is_paused = true;
  auto scaled = deployment(4, 4, 4, 4);
  scaled.generation = scaled.observed_generation = 6;
  auto changed = deployment(3, 3, 3, 3);
  changed.generation = 6;
  changed.pod_template = 78;
  changed.last_writer = "kubectl-edit";
  auto remade = deployment(3, 3, 3, 3);
  remade.uid = "u2";
  const Row rows[] = {
      {deployment(3, 3, 3, 3), RolloutPhase::done, "3 of 3 replicas are available"},
      {deployment(0, 0, 0, 0), RolloutPhase::done, "0 of 0 replicas are available"},
      {deployment(3, 0, 3, 3), RolloutPhase::progressing, "0 of 3 new replicas have been created"},
      {deployment(3, 3, 4, 3), RolloutPhase::progressing,
       "waiting for new replicas to become available, then for 1 old to go"},
      {deployment(3, 3, 4, 4), RolloutPhase::progressing, "waiting for 1 old replicas to go"},
      {deployment(3, 3, 3, 1), RolloutPhase::progressing, "waiting for 2 of 3 new replicas to become available"},
      {deployment(1, 3, 3, 3), RolloutPhase::progressing, "scaling down to 1 replicas, 3 are there"},
      {unobserved, RolloutPhase::unobserved, "waiting for the deployment controller"},
      {older, RolloutPhase::unobserved, "waiting for the deployment controller"},
      {paused, RolloutPhase::paused, "the deployment is paused"},
      {scaled, RolloutPhase::done, "4 of 4 replicas are available"},
      {changed, RolloutPhase::superseded, "the deployment was changed by kubectl-edit"},
      {remade, RolloutPhase::superseded, "the deployment was deleted and made anew"},
  };
  for (const auto& row : rows) {
    const auto status = rollout_status(row.deployment, written);
    EXPECT_EQ(status.summary, row.summary);
    EXPECT_EQ(status.phase, row.phase) << row.summary;
  }
}

TEST(RolloutStatus, CountsMissingNumbersAsNothing) {
  const json::Value fresh = {{"metadata", {{"uid", "u1"}, {"generation", 1}}}, {"spec", {{"replicas", 2}}}};
  const auto status = rollout_status(Deployment::from_json(fresh), {.uid = "u1", .generation = 1});
  EXPECT_EQ(status.phase, RolloutPhase::unobserved);
  EXPECT_EQ(status.desired, 2);
  EXPECT_EQ(status.available, 0);
}

StatefulSet stateful_set(int desired, int updated, int ready) {
  return {.generation = 2,
          .observed_generation = 2,
          .desired = desired,
          .replicas = desired,
          .updated = updated,
          .ready = ready,
          .available = ready,
          .current_revision = "db-1",
          .update_revision = "db-1"};
}

TEST(RolloutStatus, OfAStatefulSetLooksAtRevisions) {
  EXPECT_EQ(rollout_status(stateful_set(2, 2, 2), 2).phase, RolloutPhase::done);
  EXPECT_EQ(rollout_status(stateful_set(2, 2, 1), 2).phase, RolloutPhase::progressing);
  EXPECT_EQ(rollout_status(stateful_set(2, 2, 2), 3).phase, RolloutPhase::unobserved);
  auto updating = stateful_set(2, 1, 2);
  updating.update_revision = "db-2";
  EXPECT_EQ(rollout_status(updating, 2).phase, RolloutPhase::progressing);
  updating.partition = 1;
  EXPECT_EQ(rollout_status(updating, 2).phase, RolloutPhase::done) << "the partition lets one through";
  updating.partition = 0;
  updating.is_on_delete = true;
  EXPECT_EQ(rollout_status(updating, 2).phase, RolloutPhase::done) << "pods wait to be deleted";
}

TEST(NewReplicaSet, IsTheOldestOwnedOneWithTheSameTemplate) {
  const auto current = deployment(1, 1, 1, 1);
  const ReplicaSet foreign{.name = "a", .uid = "1", .owner_uid = "other", .created = "2020", .pod_template = 77};
  const ReplicaSet old{.name = "b", .uid = "2", .owner_uid = "u1", .created = "2021", .pod_template = 76};
  const ReplicaSet newer{.name = "c", .uid = "3", .owner_uid = "u1", .created = "2023", .pod_template = 77};
  const ReplicaSet ours{.name = "d", .uid = "4", .owner_uid = "u1", .created = "2022", .pod_template = 77};
  const std::vector<const ReplicaSet*> all{&foreign, &old, &newer, &ours};
  EXPECT_EQ(new_replica_set(current, all), &ours);
  EXPECT_EQ(new_replica_set(current, std::vector<const ReplicaSet*>{&foreign, &old}), nullptr);
}

TEST(TemplateHash, LeavesOutWhatTheControllerAdds) {
  const json::Value of_deployment = {{"metadata", {{"labels", {{"app", "api"}}}}}, {"spec", {{"a", 1}}}};
  const json::Value of_replica_set = {
      {"spec", {{"a", 1}}},
      {"metadata", {{"creationTimestamp", nullptr}, {"labels", {{"pod-template-hash", "7d9f"}, {"app", "api"}}}}}};
  const json::Value other = {{"metadata", {{"labels", {{"app", "api"}}}}}, {"spec", {{"a", 2}}}};
  EXPECT_EQ(template_hash(of_deployment), template_hash(of_replica_set));
  EXPECT_NE(template_hash(of_deployment), template_hash(other));
}

TEST(Deployment, NamesWhoWroteLast) {
  const json::Value body = {{"metadata",
                             {{"managedFields",
                               {{{"manager", "deployctl"}, {"time", "2026-01-01T00:00:00Z"}},
                                {{"manager", "kubectl-edit"}, {"time", "2026-01-01T00:00:05Z"}},
                                {{"manager", "someone"}, {"time", "2026-01-01T00:00:08Z"}, {"subresource", "status"}},
                                {{"manager", "kube-controller-manager"}, {"time", "2026-01-01T00:00:09Z"}}}}}}};
  EXPECT_EQ(Deployment::from_json(body).last_writer, "kubectl-edit");
}

}  // namespace
}  // namespace deployctl::kube
