// Where the tasks of a recorded release stand in the plan that is made of it.
#include "core/plan/task_steps.hpp"

#include "core/plan/canary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::plan {
namespace {

using ::testing::ElementsAre;

Step apply(const std::string& service, std::vector<std::string> after, const std::string& kind = "Deployment") {
  kube::Object object{{{"kind", kind}, {"metadata", {{"name", service}}}}};
  return {.id = (kind == "Deployment" ? "apply:deployment/" : "apply:service/") + service,
          .service = service,
          .action = ApplyObject{std::move(object)},
          .after = std::move(after),
          .phase = Phase::cluster};
}

Step ending(const std::string& what, const std::string& service, Action action, std::vector<std::string> after) {
  return {.id = what + ":" + service,
          .service = service,
          .action = std::move(action),
          .after = std::move(after),
          .phase = Phase::cluster,
          .after_failure = AfterFailure::is_done};
}

// api, and web that depends on it.
Plan plan_of_two() {
  Plan plan;
  plan.steps = {apply("api", {}, "Service"), apply("api", {"apply:configmap/api", "apply:service/api"}),
                ending("rollout", "api", AwaitRollout{}, {"apply:deployment/api"}), apply("web", {"rollout:api"}),
                ending("rollout", "web", AwaitRollout{}, {"apply:deployment/web"})};
  return plan;
}

ServiceTasks tasks() {
  return {.before = {{.task = "one"}, {.task = "two"}},
          .after = {{.task = "three"}},
          .contracts = {{.task = "four", .is_contract = true}}};
}

// "id <- what it comes after"
std::vector<std::string> in_words(const Plan& plan) {
  std::vector<std::string> words;
  for (const auto& step : plan.steps) {
    auto text = step.id + " <-";
    for (const auto& id : step.after) {
      text += " " + id;
    }
    words.push_back(text);
  }
  return words;
}

TEST(TaskSteps, StandAroundTheRolloutAndHoldBackWhatDependsOnIt) {
  auto plan = plan_of_two();
  add_tasks(plan, "api", tasks());
  EXPECT_THAT(in_words(plan),
              ElementsAre("apply:service/api <-", "task:api/one <- apply:configmap/api", "task:api/two <- task:api/one",
                          "apply:deployment/api <- apply:configmap/api apply:service/api task:api/two",
                          "rollout:api <- apply:deployment/api", "task:api/three <- rollout:api",
                          "apply:deployment/web <- rollout:api task:api/three", "rollout:web <- apply:deployment/web"));
}

TEST(TaskSteps, ComeAfterTheSwitchOfAServiceWithTwoSides) {
  Plan plan;
  plan.steps = {apply("api", {}), ending("rollout", "api", AwaitRollout{}, {"apply:deployment/api"}),
                ending("switch", "api", SwitchTraffic{}, {"rollout:api"})};
  add_tasks(plan, "api", {.before = {}, .after = {{.task = "three"}}, .contracts = {}});
  EXPECT_EQ(in_words(plan).back(), "task:api/three <- switch:api");
}

TEST(TaskSteps, ComeBeforeTheCanaryAndAfterItsEnd) {
  auto plan = plan_of_two();
  add_tasks(plan, "api", tasks());
  add_canary(plan, "api", {});
  add_contracts(plan, "api", tasks());
  EXPECT_THAT(
      in_words(plan),
      ElementsAre("task:api/one <- apply:configmap/api", "task:api/two <- task:api/one",
                  "canary:api <- apply:configmap/api task:api/two", "apply:deployment/api <- canary:api",
                  "rollout:api <- apply:deployment/api", "apply:service/api <- rollout:api",
                  "end-canary:api <- rollout:api apply:service/api", "task:api/three <- end-canary:api",
                  "apply:deployment/web <- end-canary:api task:api/three", "rollout:web <- apply:deployment/web",
                  "task:api/four <- task:api/one task:api/two canary:api apply:deployment/api rollout:api "
                  "apply:service/api end-canary:api task:api/three apply:deployment/web rollout:web"));
}

TEST(TaskSteps, AreNoneOfAServiceThatIsNotRolledOut) {
  auto plan = plan_of_two();
  const auto before = in_words(plan);
  add_tasks(plan, "other", tasks());
  EXPECT_EQ(in_words(plan), before);
}

}  // namespace
}  // namespace deployctl::plan
