// From a recorded release to steps, and what a run about some services takes over from the live release.
#include "core/plan/restore.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const kube::LedgerScope scope{.project = "shop", .environment = "prod", .name_space = "web"};

kube::Object object(std::string_view version, std::string_view kind, const std::string& name,
                    const std::string& service, const json::Value& spec = json::Value::object()) {
  return {
      .body = {{"apiVersion", version},
               {"kind", kind},
               {"metadata", {{"name", name}, {"namespace", "web"}, {"labels", {{"app.kubernetes.io/name", service}}}}},
               {"spec", spec}}};
}

kube::Release release() {
  return {.services = {"api", "worker"},
          .images = {{"api", "api:1"}, {"worker", "worker:1"}},
          .objects = {object("apps/v1", "Deployment", "api", "api", {{"secretName", "api-secrets-1"}}),
                      object("policy/v1", "PodDisruptionBudget", "api", "api"),
                      object("v1", "ConfigMap", "api-config-1", "api"), object("v1", "Service", "api", "api"),
                      object("apps/v1", "Deployment", "worker", "worker", {{"secretName", "worker-secrets-1"}})},
          .secrets = {"api-secrets-1", "worker-secrets-1"},
          .two_sides = {},
          .depends_on = {{"api", {"cache"}}}};
}

TEST(Restore, AppliesEachWorkloadAfterWhatItsPodsNeedAndWatchesIt) {
  const auto plan = restore(release(), scope);
  std::vector<std::string> lines;
  for (const auto& step : plan.steps) {
    lines.push_back(step.id + " <- " + testing::PrintToString(step.after));
  }
  EXPECT_THAT(lines,
              ElementsAre(R"(apply:configmap/api-config-1 <- {})", R"(apply:service/api <- {})",
                          R"(apply:deployment/api <- { "apply:configmap/api-config-1", "apply:service/api" })",
                          R"(rollout:api <- { "apply:deployment/api" })",
                          R"(apply:poddisruptionbudget/api <- { "apply:configmap/api-config-1", "apply:service/api" })",
                          R"(apply:deployment/worker <- {})", R"(rollout:worker <- { "apply:deployment/worker" })"));
  EXPECT_EQ(plan.kept_secrets, release().secrets);
}

TEST(Restore, BeginsAServiceWhenThoseItDependedOnAreRolledOut) {
  auto ordered = release();
  ordered.depends_on = {{"api", {"worker", "gone"}}};
  std::vector<std::string> lines;
  for (const auto& step : restore(ordered, scope).steps) {
    lines.push_back(step.id + " <- " + testing::PrintToString(step.after));
  }
  EXPECT_THAT(
      lines,
      ElementsAre(
          R"(apply:deployment/worker <- {})", R"(rollout:worker <- { "apply:deployment/worker" })",
          R"(apply:configmap/api-config-1 <- { "rollout:worker" })", R"(apply:service/api <- { "rollout:worker" })",
          R"(apply:deployment/api <- { "rollout:worker", "apply:configmap/api-config-1", "apply:service/api" })",
          R"(rollout:api <- { "apply:deployment/api" })",
          R"(apply:poddisruptionbudget/api <- { "rollout:worker", "apply:configmap/api-config-1", "apply:service/api" })"));
  EXPECT_EQ(restore(ordered, scope).depends_on, ordered.depends_on);
}

TEST(Restore, CutsACircleThatARecordMayHold) {
  auto circle = release();
  circle.depends_on = {{"api", {"worker"}}, {"worker", {"api", "worker"}}};
  const auto plan = restore(circle, scope);
  EXPECT_EQ(plan.steps.size(), 7U);
  EXPECT_EQ(plan.steps.front().id, "apply:deployment/worker");
  EXPECT_THAT(plan.steps.front().after, IsEmpty());
}

// The pods of the release come beside those of the green side, which get the requests until they are ready.
TEST(Restore, LeadsAServiceWithAGreenSideHome) {
  const auto plan = restore(release(), scope, {"api"});
  const auto step = [&](const std::string& id) { return *std::ranges::find(plan.steps, id, &Step::id); };
  EXPECT_TRUE(std::get<SwitchTraffic>(step("switch:api").action).goes_home);
  EXPECT_THAT(step("switch:api").after, ElementsAre("rollout:api"));
  EXPECT_THAT(step("apply:service/api").after, ElementsAre("switch:api"));
  EXPECT_THAT(step("retire:api").after, ElementsAre("switch:api"));
  EXPECT_THAT(step("apply:poddisruptionbudget/api").after, ElementsAre("switch:api"));
}

TEST(KeepServices, LeavesNothingOfTheOthers) {
  auto partial = release();
  keep_services(partial, {"worker"});
  EXPECT_EQ(partial.objects.size(), 1U);
  EXPECT_THAT(partial.services, ElementsAre("worker"));
  EXPECT_THAT(partial.secrets, ElementsAre("worker-secrets-1"));
  EXPECT_EQ(partial.images.size(), 1U);
  EXPECT_THAT(partial.depends_on, IsEmpty());
}

TEST(BringTheSame, CountsNeitherCommitNorTag) {
  const auto of_commit = [](const std::string& commit, const std::string& image) {
    auto made = release();
    auto& api = made.objects.front().body;
    api["metadata"]["annotations"] = {{commit_annotation, commit}, {tag_annotation, "v" + commit}};
    api["metadata"]["labels"]["app.kubernetes.io/version"] = "v" + commit;
    api["spec"]["image"] = image;
    return made;
  };
  EXPECT_TRUE(bring_the_same(of_commit("1", "api:1"), of_commit("2", "api:1")));
  auto outside_git = of_commit("1", "api:1");
  outside_git.objects.front().body["metadata"].erase("annotations");
  EXPECT_TRUE(bring_the_same(of_commit("1", "api:1"), outside_git));
  EXPECT_FALSE(bring_the_same(of_commit("1", "api:1"), of_commit("1", "api:2")));
  auto other = of_commit("1", "api:1");
  other.objects.front().body["metadata"]["annotations"]["team"] = "web";
  EXPECT_FALSE(bring_the_same(of_commit("1", "api:1"), other));
  auto secrets = release();
  secrets.secrets = {"api-secrets-2"};
  EXPECT_FALSE(bring_the_same(release(), secrets));
}

TEST(CarryForward, TakesOverWhatTheRunLeavesAlone) {
  kube::Release record{.images = {{"api", "api:2"}},
                       .objects = {object("apps/v1", "Deployment", "api", "api")},
                       .secrets = {"api-secrets-2"}};
  auto live = release();
  live.depends_on = {{"api", {"cache"}}, {"worker", {"api"}}};
  carry_forward(record, live, {"api"});
  EXPECT_EQ(record.depends_on, (std::map<std::string, std::vector<std::string>>{{"worker", {"api"}}}));
  ASSERT_EQ(record.objects.size(), 2U);
  EXPECT_EQ(record.objects.back().name(), "worker");
  EXPECT_EQ(record.images, (std::map<std::string, std::string>{{"api", "api:2"}, {"worker", "worker:1"}}));
  EXPECT_THAT(record.secrets, ElementsAre("api-secrets-2", "worker-secrets-1"));
}

TEST(CarryForward, TakesOverNothingWhenTheRunIsAboutAll) {
  kube::Release record;
  carry_forward(record, release(), {"api", "worker"});
  EXPECT_THAT(record.objects, IsEmpty());
  EXPECT_THAT(record.secrets, IsEmpty());
}

TEST(WhatStays, IsTheReleaseWithoutWhatWasTakenBackAndWhatComesAfterThat) {
  const auto of = [](const std::string& version) {
    kube::Release made{.services = {"api", "web", "front"}, .two_sides = {}, .depends_on = {{"front", {"web"}}}};
    for (const auto& service : made.services) {
      made.images[service] = service + ":" + version;
      made.objects.push_back(object("apps/v1", "Deployment", service, service, {{"version", version}}));
    }
    return made;
  };
  const auto stays = what_stays(of("2"), of("1"), {"web"});
  EXPECT_THAT(stays.services, ElementsAre("api"));
  EXPECT_THAT(stays.images,
              ElementsAre(std::pair("api", "api:2"), std::pair("front", "front:1"), std::pair("web", "web:1")));
  EXPECT_EQ(stays.objects.size(), 3U);
  EXPECT_EQ(kube::content_digest(what_stays(of("2"), of("1"), {"api", "web"})), kube::content_digest(of("1")));
}

}  // namespace
}  // namespace deployctl::plan
