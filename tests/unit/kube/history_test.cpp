#include "core/kube/history.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

Object deployment(std::string_view image, bool paused = false) {
  return {.body = {
              {"apiVersion", "apps/v1"},
              {"kind", "Deployment"},
              {"metadata",
               {{"name", "api"},
                {"namespace", "shop"},
                {"uid", "d"},
                {"resourceVersion", "42"},
                {"managedFields", json::Value::array()},
                {"labels", {{"app", "api"}}},
                {"annotations", {{"deployment.kubernetes.io/revision", "3"}, {"deployctl.dev/commit", "ccc"}}}}},
              {"spec",
               {{"paused", paused}, {"replicas", 2}, {"template", {{"spec", {{"containers", {{{"image", image}}}}}}}}}},
              {"status", {{"replicas", 2}}}}};
}

Object replica_set(std::string_view number, std::string_view image, std::string_view owner = "d") {
  return {.body = {{"kind", "ReplicaSet"},
                   {"metadata",
                    {{"name", "api-" + std::string(number)},
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
Object current(std::string_view image, bool paused = false) {
  auto object = deployment(image, paused);
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

TEST(Undo, GoesToTheRevisionBefore) {
  const auto back = undo(current("api:c"), replica_sets(), std::nullopt);
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(back->from, 3);
  EXPECT_EQ(back->to, 2);
  EXPECT_FALSE(back->pod_template["metadata"]["labels"].contains("pod-template-hash"));
}

TEST(Undo, AppliesTheWholeDeploymentInTheVersionThatWasRead) {
  const auto live = current("api:c");
  const auto back = undo(live, replica_sets(), 1);
  ASSERT_TRUE(back);
  const auto object = undone(live, *back).body;
  EXPECT_EQ(object["metadata"]["resourceVersion"], "42");
  EXPECT_EQ(object["metadata"]["labels"]["app"], "api");
  EXPECT_FALSE(object["metadata"].contains("managedFields"));
  EXPECT_FALSE(object.contains("status"));
  EXPECT_EQ(object["spec"]["replicas"], 2);
  EXPECT_EQ(object["spec"]["template"]["spec"]["containers"][0]["image"], "api:a");
  EXPECT_EQ(object["metadata"]["annotations"],
            json::Value({{"deployctl.dev/commit", "commit-1"}, {"kubernetes.io/change-cause", "release 1"}}));
}

struct Refusal {
  Object deployment;
  std::optional<long long> to;
  base::ErrorCode code;
  std::string message;
  std::string hint;
};

TEST(Undo, SaysWhyItCannot) {
  const Refusal rows[] = {
      {current("api:c", true),
       {},
       base::ErrorCode::refused,
       "deployment/api is paused and cannot be undone",
       "resume it first: kubectl rollout resume deployment/api"},
      {current("api:c"), 7, base::ErrorCode::not_found, "deployment/api has no revision 7", "there are: 1, 2, 3"},
      {current("api:c"), 3, base::ErrorCode::refused, "deployment/api is at revision 3 already", ""},
  };
  for (const auto& row : rows) {
    const auto back = undo(row.deployment, replica_sets(), row.to);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, row.code);
    EXPECT_EQ(back.error().message, row.message);
    EXPECT_EQ(back.error().hint, row.hint);
  }
  const auto alone = undo(current("api:c"), std::vector<Object>{replica_set("3", "api:c")}, std::nullopt);
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().message, "deployment/api has no earlier revision to go back to");
}

TEST(Restart, TouchesOneAnnotationOfOurOwn) {
  EXPECT_EQ(
      json::to_compact_text(restart_patch("2026-01-01T00:00:00Z")),
      R"({"spec":{"template":{"metadata":{"annotations":{"deployctl.dev/restarted-at":"2026-01-01T00:00:00Z"}}}}})");
}

}  // namespace
}  // namespace deployctl::kube
