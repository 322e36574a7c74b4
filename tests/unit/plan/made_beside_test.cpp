#include "core/plan/made_beside.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::plan {
namespace {

using generate::Side;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

kube::Object deployment() {
  const json::Value labels = {{"app.kubernetes.io/name", "api"}, {"app.kubernetes.io/instance", "shop"}};
  return {{{"apiVersion", "apps/v1"},
           {"kind", "Deployment"},
           {"metadata", {{"name", "api"}, {"labels", labels}}},
           {"spec",
            {{"selector", {{"matchLabels", labels}}},
             {"template", {{"metadata", {{"labels", labels}}}, {"spec", json::Value::object()}}}}}}};
}

kube::Object service() {
  return {{{"apiVersion", "v1"},
           {"kind", "Service"},
           {"metadata", {{"name", "api"}, {"labels", json::Value::object()}}},
           {"spec", {{"selector", {{"app.kubernetes.io/name", "api"}}}, {"ports", {{{"port", 80}}}}}}}};
}

kube::Object ingress() {
  return {{{"apiVersion", "networking.k8s.io/v1"},
           {"kind", "Ingress"},
           {"metadata", {{"name", "api"}, {"labels", json::Value::object()}}},
           {"spec", {{"rules", json::Value::array()}}}}};
}

Plan with(Action action) {
  Plan plan;
  plan.steps = {{.id = "apply:deployment/api", .service = "api", .action = ApplyObject{deployment()}},
                {.id = "apply:service/api", .service = "api", .action = ApplyObject{service()}},
                {.id = "next:api", .service = "api", .action = std::move(action)}};
  return plan;
}

Plan with_canary(project::Router router) {
  return with(RunCanary{{.router = router}, {deployment(), service(), ingress()}});
}

std::vector<std::string> made(const Plan& plan, const std::map<std::string, Side>& live_sides,
                              const PreflightFacts& facts) {
  std::vector<std::string> lines;
  for (const auto& each : made_beside(plan, live_sides, facts)) {
    lines.push_back(kube::to_string(each.object.key()) + (each.is_ours_alone ? " ours" : ""));
  }
  return lines;
}

PreflightFacts with_live_deployment() {
  PreflightFacts facts;
  facts.deployments["api"] = deployment();
  return facts;
}

TEST(MadeBeside, IsForACanaryItsOwnObjectsAndTheRouteThatItShares) {
  EXPECT_THAT(made(with_canary(project::Router::replicas), {}, with_live_deployment()),
              ElementsAre("service/api-canary ours", "deployment/api-canary ours", "service/api"));
  EXPECT_THAT(made(with_canary(project::Router::nginx), {}, with_live_deployment()),
              ElementsAre("service/api-canary ours", "deployment/api-canary ours", "ingress/api-canary ours"));
}

TEST(MadeBeside, IsTheSideThatIsNotLive) {
  const auto facts = with_live_deployment();
  EXPECT_THAT(made(with(SwitchTraffic{}), {}, facts), ElementsAre("deployment/api-green"));
  EXPECT_THAT(made(with(SwitchTraffic{}), {{"api", Side::blue}}, facts), ElementsAre("deployment/api-green"));
  EXPECT_THAT(made(with(SwitchTraffic{}), {{"api", Side::green}}, facts), ElementsAre("deployment/api"));
}

TEST(MadeBeside, HasAsManyPodsAsTheSideOrTheLargestShareOfTheCanary) {
  auto facts = with_live_deployment();
  facts.deployments["api"].body["spec"]["replicas"] = 4;
  const auto pods = [&](const Plan& plan) {
    std::vector<int> of_each;
    for (const auto& each : made_beside(plan, {}, facts)) {
      of_each.push_back(each.most_pods);
    }
    return of_each;
  };
  EXPECT_THAT(pods(with(SwitchTraffic{})), ElementsAre(4));
  const project::Canary canary{.router = project::Router::nginx, .steps = {{.weight = 10}, {.weight = 50}}};
  const auto plan = with(RunCanary{canary, {deployment(), service(), ingress()}});
  EXPECT_THAT(pods(plan), ElementsAre(0, 2, 0)) << "Service, Deployment and Ingress";
  facts.deployments.clear();
  EXPECT_THAT(pods(plan), ElementsAre(0, 0, 0)) << "nothing to compare with";
}

TEST(MadeBeside, IsNothingWhereTheFirstPodsAreMade) {
  EXPECT_THAT(made(with(SwitchTraffic{}), {}, {}), IsEmpty());
}

TEST(MadeBeside, IsTheBlueSideForAServiceThatHasTwoSidesNoLonger) {
  const auto plan = with(SwitchTraffic{.goes_home = true});
  EXPECT_THAT(made(plan, {{"api", Side::green}}, with_live_deployment()), ElementsAre("deployment/api"));
  EXPECT_THAT(made(plan, {{"api", Side::blue}}, with_live_deployment()), IsEmpty()) << "tried already";
}

TEST(MadeBeside, IsNothingWhereThePodsStayAsTheyAre) {
  auto facts = with_live_deployment();
  facts.changes[deployment().key()] = Change::none;
  EXPECT_THAT(made(with_canary(project::Router::replicas), {}, facts), IsEmpty());
  EXPECT_THAT(made(with(SwitchTraffic{}), {}, facts), IsEmpty());
}

}  // namespace
}  // namespace deployctl::plan
