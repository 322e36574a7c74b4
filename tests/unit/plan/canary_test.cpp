#include "core/plan/canary.hpp"

#include "core/plan/permissions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::plan {
namespace {

using ::testing::ElementsAre;

Step apply(const std::string& kind, const std::string& service, std::vector<std::string> after = {}) {
  kube::Object object{{{"kind", kind}, {"metadata", {{"name", service}}}}};
  return {.id = "apply:" + kind + "/" + service,
          .service = service,
          .action = ApplyObject{std::move(object)},
          .after = std::move(after),
          .phase = Phase::cluster};
}

Step rollout(const std::string& service) {
  return {.id = "rollout:" + service,
          .service = service,
          .action = AwaitRollout{},
          .after = {"apply:Deployment/" + service},
          .phase = Phase::cluster};
}

// api, and web that depends on it.
Plan plan_of_two() {
  Plan plan;
  plan.steps = {
      apply("ConfigMap", "api"),
      apply("Service", "api"),
      apply("Deployment", "api", {"apply:ConfigMap/api", "apply:Service/api"}),
      apply("HorizontalPodAutoscaler", "api", {"apply:Deployment/api"}),
      rollout("api"),
      apply("Ingress", "api", {"apply:Deployment/api"}),
      apply("Deployment", "web", {"rollout:api"}),
      rollout("web"),
  };
  return plan;
}

project::Canary settings() {
  project::Canary canary;
  canary.steps = {{.weight = 5}, {.weight = 50}, {.weight = 50, .waits_for_promote = true}};
  return canary;
}

std::vector<std::string> lines_of(const Plan& plan) {
  std::vector<std::string> lines;
  for (const auto& step : plan.steps) {
    auto line = step.id;
    for (const auto& id : step.after) {
      line += " < " + id;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

TEST(CanaryPlan, HoldsEverythingBackUntilTheCanaryHasSpoken) {
  auto plan = plan_of_two();
  add_canary(plan, "api", settings());
  EXPECT_THAT(lines_of(plan),
              ElementsAre("apply:ConfigMap/api",                              //
                          "canary:api < apply:ConfigMap/api",                 //
                          "apply:Deployment/api < canary:api",                //
                          "rollout:api < apply:Deployment/api",               //
                          "apply:Service/api < rollout:api",                  //
                          "apply:HorizontalPodAutoscaler/api < rollout:api",  //
                          "apply:Ingress/api < rollout:api",                  //
                          "end-canary:api < rollout:api < apply:Service/api < apply:HorizontalPodAutoscaler/api < "
                          "apply:Ingress/api",
                          "apply:Deployment/web < end-canary:api",  //
                          "rollout:web < apply:Deployment/web"));
}

TEST(CanaryPlan, GivesTheCanaryTheObjectsItWorksWith) {
  auto plan = plan_of_two();
  add_canary(plan, "api", settings());
  const auto& step = *std::ranges::find(plan.steps, "canary:api", &Step::id);
  std::vector<std::string> kinds;
  for (const auto& object : std::get<RunCanary>(step.action).objects) {
    kinds.push_back(object.kind());
  }
  EXPECT_THAT(kinds, ElementsAre("Deployment", "Service", "HorizontalPodAutoscaler", "Ingress"));
  EXPECT_EQ(title(step), "canary of api: 5 %, 50 %, wait for 'deployctl promote', promote");
}

TEST(CanaryPlan, NeedsToAskThePodsThroughTheApiServerOnlyForAGateWithAPath) {
  const auto asks_pods = [](const project::HttpGate& gate) {
    auto canary = settings();
    canary.gates.gates = {{.check = gate}};
    Plan plan;
    plan.steps = {{.id = "canary:api", .service = "api", .action = RunCanary{.settings = canary, .objects = {}}}};
    return std::ranges::any_of(needed_permissions(plan), [](const NeededPermission& needed) {
      return needed.permission.resource == "services/proxy" && needed.permission.verb == "get";
    });
  };
  EXPECT_TRUE(asks_pods({.path = "/health", .url = {}, .json = {}}));
  EXPECT_FALSE(asks_pods({.path = {}, .url = "https://shop.example.com/health", .json = {}}));
}

TEST(CanaryPlan, LeavesAPlanAloneThatDoesNotRollTheServiceOut) {
  auto plan = plan_of_two();
  const auto before = lines_of(plan);
  add_canary(plan, "db", settings());
  EXPECT_EQ(lines_of(plan), before);
}

}  // namespace
}  // namespace deployctl::plan
