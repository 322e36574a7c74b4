// What is pruned before the rest, and where in the order of the steps.
#include "core/plan/make_way.hpp"

#include "core/plan/prune.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

kube::Object object(const std::string& kind, const std::string& name) {
  return {.body = {{"apiVersion", "v1"}, {"kind", kind}, {"metadata", {{"name", name}, {"namespace", "web"}}}}};
}

Step apply(const kube::Object& object, std::vector<std::string> after) {
  return {.id = "apply:" + kube::to_string(object.key()),
          .service = object.name(),
          .action = ApplyObject{object},
          .after = std::move(after),
          .phase = Phase::cluster};
}

Step ending(const std::string& id, const std::string& service, Action action, std::vector<std::string> after) {
  return {.id = id,
          .service = service,
          .action = std::move(action),
          .after = std::move(after),
          .phase = Phase::cluster,
          .after_failure = AfterFailure::is_done};
}

// A service as a release has it.
std::vector<Step> rollout_of(const std::string& service) {
  return {apply(object("Service", service), {"task:" + service + "/migrate"}),
          apply(object("Deployment", service), {"task:" + service + "/migrate", "apply:service/" + service}),
          ending("rollout:" + service, service, AwaitRollout{}, {"apply:deployment/" + service})};
}

std::vector<Step> prunes(const std::vector<std::pair<std::string, std::string>>& objects) {
  std::vector<kube::ObjectKey> keys;
  for (const auto& [kind, name] : objects) {
    keys.push_back({"v1", kind, "web", name});
  }
  return prune_steps(keys);
}

// "id <- what it comes after"
std::vector<std::string> in_words(const std::vector<Step>& steps) {
  std::vector<std::string> words;
  for (const auto& step : steps) {
    auto text = step.id + " <-";
    for (const auto& id : step.after) {
      text += " " + id;
    }
    words.push_back(text);
  }
  return words;
}

TEST(MakeWay, TakesAnAutoscalerAwayBeforeItsWorkloadHasReplicasOfItsOwn) {
  auto steps = rollout_of("api");
  const auto others = make_way(steps, prunes({{"HorizontalPodAutoscaler", "api"}, {"Ingress", "api"}}));
  EXPECT_THAT(in_words(others), ElementsAre("prune:ingress/api <-"));
  EXPECT_THAT(in_words(steps), ElementsAre("apply:service/api <- task:api/migrate",
                                           "prune:horizontalpodautoscaler/api <- task:api/migrate apply:service/api",
                                           "apply:deployment/api <- prune:horizontalpodautoscaler/api",
                                           "rollout:api <- apply:deployment/api"));
  EXPECT_EQ(steps[1].reason, "no longer part of the project, and in the way of apply deployment/api");
}

TEST(MakeWay, LeavesTheAutoscalerOfAServiceThatGoesAltogetherForTheEnd) {
  auto steps = rollout_of("api");
  const auto before = in_words(steps);
  const auto others = make_way(steps, prunes({{"HorizontalPodAutoscaler", "worker"}, {"Deployment", "worker"}}));
  EXPECT_THAT(in_words(others), ElementsAre("prune:horizontalpodautoscaler/worker <-", "prune:deployment/worker <-"));
  EXPECT_EQ(in_words(steps), before);
}

TEST(MakeWay, LeavesTheAutoscalerOfTheOldSideUntilTheNewOneIsSwitchedTo) {
  auto steps = rollout_of("api");
  steps.push_back(ending("switch:api", "api", SwitchTraffic{}, {"rollout:api"}));
  EXPECT_THAT(in_words(make_way(steps, prunes({{"HorizontalPodAutoscaler", "api"}}))),
              ElementsAre("prune:horizontalpodautoscaler/api <-"));
}

kube::Object node_port_service(const std::string& name, int port) {
  auto service = object("Service", name);
  service.body["spec"]["ports"] = json::Value::array({{{"port", 80}, {"nodePort", port}}});
  return service;
}

TEST(MakeWay, HandsANodePortOverWhenThePodsThatGetItAreReady) {
  auto steps = rollout_of("backend");
  steps.push_back(apply(object("Deployment", "front"), {"rollout:backend"}));
  const MovedPorts moved{{{"v1", "Service", "web", "backend"}, {"v1", "Service", "web", "api"}}};
  const auto others = make_way(steps, prunes({{"Service", "api"}, {"Deployment", "api"}}), moved);
  EXPECT_THAT(in_words(others), ElementsAre("prune:deployment/api <-"));
  EXPECT_THAT(
      in_words(steps),
      ElementsAre("apply:deployment/backend <- task:backend/migrate", "rollout:backend <- apply:deployment/backend",
                  "prune:service/api <- rollout:backend", "apply:service/backend <- prune:service/api",
                  "apply:deployment/front <- rollout:backend apply:service/backend"));
  EXPECT_EQ(steps[2].reason, "no longer part of the project, and in the way of apply service/backend");
}

TEST(MakeWay, DoesTheSameAgainWithStepsThatAreInThatOrder) {
  auto steps = rollout_of("backend");
  const MovedPorts moved{{{"v1", "Service", "web", "backend"}, {"v1", "Service", "web", "api"}}};
  make_way(steps, prunes({{"Service", "api"}}), moved);
  const auto once = in_words(steps);
  std::erase_if(steps, [](const Step& step) { return std::holds_alternative<PruneObject>(step.action); });
  steps.back().after = {"rollout:backend"};
  make_way(steps, prunes({{"Service", "api"}}), moved);
  EXPECT_EQ(in_words(steps), once);
}

TEST(MakeWay, HandsANodePortOverToTheSwitchThatWritesTheServiceFirst) {
  std::vector<Step> steps{apply(object("Deployment", "backend"), {}),
                          ending("rollout:backend", "backend", AwaitRollout{}, {"apply:deployment/backend"}),
                          ending("switch:backend", "backend", SwitchTraffic{}, {"rollout:backend"}),
                          apply(object("Service", "backend"), {"switch:backend"})};
  make_way(steps, prunes({{"Service", "api"}}),
           {{{"v1", "Service", "web", "backend"}, {"v1", "Service", "web", "api"}}});
  EXPECT_THAT(in_words(steps),
              ElementsAre("apply:deployment/backend <-", "rollout:backend <- apply:deployment/backend",
                          "prune:service/api <- rollout:backend", "switch:backend <- prune:service/api",
                          "apply:service/backend <- switch:backend"));
}

TEST(MakeWay, AppliesTheServiceThatGivesAPortUpBeforeTheOneThatGetsIt) {
  const kube::ObjectKey api{"v1", "Service", "web", "api"};
  const kube::ObjectKey web{"v1", "Service", "web", "web"};
  const auto first = apply(node_port_service("api", 30080), {});
  const auto second = apply(node_port_service("web", 30081), {});
  std::vector<Step> steps{first, ending("rollout:api", "api", AwaitRollout{}, {first.id}), second};
  make_way(steps, {}, {{api, web}});
  EXPECT_THAT(in_words(steps), ElementsAre("apply:service/web <-", "apply:service/api <- apply:service/web",
                                           "rollout:api <- apply:service/api"));
  EXPECT_THAT(blocked_handovers(steps, {{api, web}}), IsEmpty());
  EXPECT_THAT(blocked_handovers({first, second}, {{api, web}, {web, api}}), ElementsAre(web)) << "they exchange ports";
  steps = {first, ending("rollout:api", "api", AwaitRollout{}, {first.id}), second};
  steps.back().after = {"rollout:api"};
  EXPECT_THAT(blocked_handovers(steps, {{api, web}}), ElementsAre(api)) << "web depends on api";
}

TEST(NodePorts, ThatAServiceDoesNotNameStayAsTheyAre) {
  const auto live = node_port_service("api", 30080);
  auto wanted = node_port_service("api", 30081);
  EXPECT_THAT(node_ports_after(wanted, live), IsEmpty()) << "of no type that has them";
  wanted.body["spec"]["type"] = "NodePort";
  EXPECT_THAT(node_ports_after(wanted, live), ElementsAre(30081));
  wanted.body["spec"]["ports"][0].erase("nodePort");
  EXPECT_THAT(node_ports_after(wanted, live), ElementsAre(30080));
}

TEST(MovedPorts, AreThoseThatAnotherServiceHadBefore) {
  const std::vector before{apply(node_port_service("api", 30080), {}), apply(node_port_service("other", 30081), {})};
  const std::vector steps{apply(node_port_service("backend", 30080), {}), apply(node_port_service("other", 30081), {}),
                          apply(object("Service", "none"), {})};
  EXPECT_EQ(moved_ports(steps, before),
            (MovedPorts{{{"v1", "Service", "web", "backend"}, {"v1", "Service", "web", "api"}}}));
}

}  // namespace
}  // namespace deployctl::plan
