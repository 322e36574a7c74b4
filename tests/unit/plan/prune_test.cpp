// What of earlier releases goes, and what stays.
#include "core/plan/prune.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::plan {
namespace {

using kube::ObjectKey;
using kube::ReleaseState;
using kube::ReleaseSummary;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ObjectKey key(std::string kind, std::string name, std::string version = "v1") {
  return {std::move(version), std::move(kind), "web", std::move(name)};
}

ReleaseSummary release(long long number, ReleaseState state, std::vector<ObjectKey> inventory) {
  return {.number = number, .state = state, .inventory = std::move(inventory)};
}

std::vector<std::string> pruned(const std::vector<ReleaseSummary>& releases, const std::vector<ObjectKey>& desired) {
  std::vector<std::string> names;
  for (const auto& each : to_prune(releases, desired)) {
    names.push_back(kube::to_string(each));
  }
  return names;
}

TEST(ToPrune, IsWhatEarlierReleasesHaveAndTheNewOneHasNot) {
  const std::vector<ObjectKey> desired{key("Deployment", "api", "apps/v1")};
  EXPECT_THAT(pruned({release(2, ReleaseState::deployed, desired),
                      release(1, ReleaseState::superseded,
                              {key("Deployment", "api", "apps/v1"), key("Deployment", "worker", "apps/v1"),
                               key("Service", "api"), key("Ingress", "api", "networking.k8s.io/v1")})},
                     desired),
              ElementsAre("deployment/worker", "service/api", "ingress/api"));
}

kube::Object deployment(const std::string& name, int replicas, const std::string& config) {
  const json::Value container = {{"name", "api"}, {"envFrom", {{{"configMapRef", {{"name", config}}}}}}};
  return {{{"apiVersion", "apps/v1"},
           {"kind", "Deployment"},
           {"metadata", {{"name", name}, {"namespace", "web"}}},
           {"spec", {{"replicas", replicas}, {"template", {{"spec", {{"containers", {container}}}}}}}}}};
}

TEST(WithoutUsed, LeavesWhatPodsThatStayNameAndTakesTheRest) {
  const std::vector<ObjectKey> keys{key("ConfigMap", "one"),   key("ConfigMap", "two"),
                                    key("ConfigMap", "three"), key("Deployment", "goes", "apps/v1"),
                                    key("Secret", "one"),      key("Service", "one")};
  const std::vector<kube::Object> deployments{deployment("stays", 1, "one"), deployment("empty", 0, "two"),
                                              deployment("goes", 1, "three")};
  std::vector<std::string> names;
  for (const auto& each : without_used(keys, deployments)) {
    names.push_back(kube::to_string(each));
  }
  EXPECT_THAT(names, ElementsAre("configmap/two", "configmap/three", "deployment/goes", "secret/one", "service/one"));
}

TEST(ToPrune, KnowsAnObjectInEveryVersionOfItsKind) {
  const std::vector<ObjectKey> desired{key("HorizontalPodAutoscaler", "api", "autoscaling/v2")};
  EXPECT_THAT(
      pruned({release(2, ReleaseState::deployed, desired),
              release(1, ReleaseState::superseded, {key("HorizontalPodAutoscaler", "api", "autoscaling/v2beta2")})},
             desired),
      IsEmpty());
}

TEST(ToPrune, LeavesTheConfigurationOfReleasesOneCanGoBackTo) {
  const std::vector<ObjectKey> desired{key("ConfigMap", "api-config-3")};
  EXPECT_THAT(pruned({release(3, ReleaseState::deployed, desired),
                      release(2, ReleaseState::interrupted, {key("ConfigMap", "api-config-2"), key("Secret", "s-2")}),
                      release(1, ReleaseState::superseded, {key("ConfigMap", "api-config-1"), key("Secret", "s-1")})},
                     desired),
              ElementsAre("configmap/api-config-2", "secret/s-2"));
}

TEST(ToPrune, LetsGoTheConfigurationOfReleasesThatAreForgotten) {
  std::vector<ReleaseSummary> releases;
  for (long long number = 12; number > 0; --number) {
    releases.push_back(release(number, number == 12 ? ReleaseState::deployed : ReleaseState::superseded,
                               {key("ConfigMap", "config-" + std::to_string(number))}));
  }
  EXPECT_THAT(pruned(releases, *releases.front().inventory), ElementsAre("configmap/config-2", "configmap/config-1"));
}

TEST(ToPrune, NeverTouchesWhatHoldsDataOrOtherObjects) {
  EXPECT_THAT(pruned({release(1, ReleaseState::failed,
                              {key("PersistentVolumeClaim", "data"), key("Namespace", "web"),
                               key("CustomResourceDefinition", "x", "apiextensions.k8s.io/v1"),
                               key("PersistentVolume", "pv")})},
                     {}),
              IsEmpty());
}

kube::Object live(const json::Value& change = json::Value::object()) {
  kube::Object object{.body = {{"apiVersion", "v1"},
                               {"kind", "Service"},
                               {"metadata",
                                {{"name", "api"},
                                 {"labels", {{"app.kubernetes.io/part-of", "shop"}}},
                                 {"managedFields", {{{"manager", "deployctl"}, {"operation", "Apply"}}}}}}}};
  object.body["metadata"].merge_patch(change);
  return object;
}

project::Target shop(std::string environment = "prod") {
  project::Target target;
  target.project = {"shop", {}};
  target.environment = std::move(environment);
  return target;
}

TEST(WhyNotPruned, IsEmptyForWhatIsOurs) {
  EXPECT_EQ(why_not_pruned(live(), shop(), "deployctl"), "");
  EXPECT_EQ(why_not_pruned(live({{"labels", {{"deployctl.dev/environment", "prod"}}}}), shop(), "deployctl"), "");
}

TEST(WhyNotPruned, SaysWhatKeepsAnObject) {
  const std::pair<json::Value, std::string> rows[] = {
      {{{"labels", {{"app.kubernetes.io/part-of", "bank"}}}}, "it is not labelled as part of shop"},
      {{{"labels", {{"deployctl.dev/environment", "test"}}}}, "it belongs to test of shop"},
      {{{"labels", nullptr}}, "it is not labelled as part of shop"},
      {{{"managedFields", {{{"manager", "kubectl"}, {"operation", "Apply"}}}}}, "somebody else has written it"},
      {{{"managedFields", {{{"manager", "deployctl"}, {"operation", "Update"}}}}}, "somebody else has written it"},
      {{{"annotations", {{"deployctl.dev/keep", "true"}}}}, "it is annotated deployctl.dev/keep"},
      {{{"deletionTimestamp", "2026-01-01T00:00:00Z"}}, "it is being deleted already"},
  };
  for (const auto& [change, reason] : rows) {
    EXPECT_EQ(why_not_pruned(live(change), shop(), "deployctl"), reason);
  }
}

TEST(KeptClaims, AreThoseOfTheLiveReleaseThatTheNewOneHasNot) {
  const auto live = release(1, ReleaseState::deployed,
                            {key("PersistentVolumeClaim", "a-data"), key("PersistentVolumeClaim", "b-data"),
                             key("Deployment", "b", "apps/v1")});
  EXPECT_THAT(kept_claims(live, std::vector{key("PersistentVolumeClaim", "a-data")}),
              ElementsAre(key("PersistentVolumeClaim", "b-data")));
}

TEST(Pruning, ForSomeServicesLeavesWhatBelongsToOthers) {
  const auto object = live({{"labels", {{"app.kubernetes.io/name", "api"}}}});
  EXPECT_FALSE(is_of_another_service(object, {}));
  EXPECT_FALSE(is_of_another_service(object, {"cache", "api"}));
  EXPECT_TRUE(is_of_another_service(object, {"cache"}));
  EXPECT_TRUE(is_of_another_service(live(), {"cache"})) << "it does not say whose it is";
}

}  // namespace
}  // namespace deployctl::plan
