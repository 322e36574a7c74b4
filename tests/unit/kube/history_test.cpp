#include "core/kube/history.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

Object deployment(std::string_view image) {
  return {.body = {{"apiVersion", "apps/v1"},
                   {"kind", "Deployment"},
                   {"metadata",
                    {{"name", "api"},
                     {"namespace", "shop"},
                     {"uid", "d"},
                     {"resourceVersion", "42"},
                     {"managedFields", json::Value::array()},
                     {"labels", {{"app", "api"}}},
                     {"annotations", {{"deployment.kubernetes.io/revision", "3"}, {"deployctl.dev/commit", "ccc"}}}}},
                   {"spec", {{"replicas", 2}, {"template", {{"spec", {{"containers", {{{"image", image}}}}}}}}}},
                   {"status", {{"replicas", 2}}}}};
}

Object replica_set(std::string_view number, std::string_view image, std::string_view owner = "d") {
  return {.body = {{"kind", "ReplicaSet"},
                   {"metadata",
                    {{"name", "api-" + std::string(number)},
                     {"uid", "r" + std::string(number)},
                     {"creationTimestamp", "2026-01-0" + std::string(number) + "T00:00:00Z"},
                     {"annotations",
                      {{"deployment.kubernetes.io/revision", number},
                       {"deployment.kubernetes.io/desired-replicas", "2"},
                       {"deployctl.dev/commit", "commit-" + std::string(number)},
                       {"kubernetes.io/change-cause", "release " + std::string(number)}}},
                     {"ownerReferences", {{{"uid", owner}, {"controller", true}}}}}},
                   {"spec",
                    {{"template",
                      {{"metadata", {{"creationTimestamp", nullptr}, {"labels", {{"pod-template-hash", "x"}}}}},
                       {"spec", {{"containers", {{{"image", image}}}}}}}}}},
                   {"status", {{"replicas", number == "3" ? 2 : 0}}}}};
}

const std::vector<Object>& replica_sets() {
  static const std::vector<Object> all{replica_set("3", "api:c"), replica_set("1", "api:a"), replica_set("2", "api:b"),
                                       replica_set("9", "other:z", "someone-else")};
  return all;
}

// The template of the deployment has no empty metadata; put one in so that the two compare as they do in a cluster.
Object current(std::string_view image) {
  auto object = deployment(image);
  object.body["spec"]["template"]["metadata"]["labels"] = json::Value::object();
  return object;
}

TEST(Revisions, AreTheDeploymentsReplicaSetsInTheirOrder) {
  const auto all = revisions(current("api:c"), replica_sets());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].number, 1);
  EXPECT_EQ(all[0].change_cause, "release 1");
  EXPECT_EQ(all[0].images, std::vector<std::string>{"api:a"});
  EXPECT_FALSE(all[0].is_current);
  EXPECT_TRUE(all[2].is_current);
  EXPECT_EQ(all[2].replicas, 2);
}

Object pod(std::string_view owner, std::string_view created) {
  return {.body = {{"kind", "Pod"},
                   {"metadata",
                    {{"creationTimestamp", created}, {"ownerReferences", {{{"uid", owner}, {"controller", true}}}}}}}};
}

TEST(RunsSince, IsWhenTheOldestPodOfTheRevisionWasMade) {
  const std::vector<Object> pods{pod("r3", "2026-01-05T00:00:00Z"), pod("r3", "2026-01-04T00:00:00Z"),
                                 pod("r2", "2026-01-02T00:00:00Z")};
  EXPECT_EQ(runs_since(current("api:c"), replica_sets(), pods), "2026-01-04T00:00:00Z");
  EXPECT_EQ(runs_since(current("api:b"), replica_sets(), pods), "2026-01-02T00:00:00Z");
  EXPECT_EQ(runs_since(current("api:a"), replica_sets(), pods), "");
}

TEST(RunsSince, CountsNoPodThatIsOnItsWayOut) {
  auto ending = pod("r3", "2026-01-04T00:00:00Z");
  ending.body["metadata"]["deletionTimestamp"] = "2026-01-06T00:00:00Z";
  EXPECT_EQ(runs_since(current("api:c"), replica_sets(), std::vector{ending, pod("r3", "2026-01-05T00:00:00Z")}),
            "2026-01-05T00:00:00Z");
}

TEST(Restart, TouchesOneAnnotationOfOurOwn) {
  EXPECT_EQ(
      json::to_compact_text(restart_patch("2026-01-01T00:00:00Z")),
      R"({"spec":{"template":{"metadata":{"annotations":{"deployctl.dev/restarted-at":"2026-01-01T00:00:00Z"}}}}})");
}

}  // namespace
}  // namespace deployctl::kube
