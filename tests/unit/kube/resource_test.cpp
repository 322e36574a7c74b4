#include "core/kube/resource.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

TEST(Resource, HasThePathTheServerServesItUnder) {
  EXPECT_EQ(object_path(resource_of("Deployment"), "shop", "api"), "/apis/apps/v1/namespaces/shop/deployments/api");
  EXPECT_EQ(object_path(resource_of("ConfigMap"), "shop", "a b"), "/api/v1/namespaces/shop/configmaps/a%20b");
  EXPECT_EQ(object_path(resource_of("Namespace"), "shop", "shop"), "/api/v1/namespaces/shop");
  EXPECT_EQ(collection_path(resource_of("Pod"), ""), "/api/v1/pods");
}

TEST(Resource, IsFoundByGroupAndKindInTheVersionOfTheObject) {
  const auto found = find_resource("autoscaling/v2beta2", "HorizontalPodAutoscaler");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->version, "v2beta2");
  EXPECT_EQ(found->plural, "horizontalpodautoscalers");
  EXPECT_FALSE(find_resource("apps/v1", "Service")) << "the group is another";
  EXPECT_FALSE(find_resource("example.com/v1", "Widget"));
}

TEST(Resource, KnowsWhereAKindHasMoved) {
  EXPECT_EQ(known_versions("policy", "PodDisruptionBudget"), (std::vector<std::string>{"v1", "v1beta1"}));
  EXPECT_EQ(known_versions("apps", "Deployment"), (std::vector<std::string>{"v1"}));
  EXPECT_TRUE(known_versions("", "Widget").empty());
}

Object object(std::string kind, std::string name) {
  return {.body = {{"kind", std::move(kind)}, {"metadata", {{"name", std::move(name)}}}}};
}

TEST(ApplyOrder, PutsWhatIsNamedBeforeWhatNamesIt) {
  std::vector<Object> objects{
      object("Ingress", "a"),       object("Deployment", "b"), object("HorizontalPodAutoscaler", "c"),
      object("Service", "d"),       object("Namespace", "e"),  object("Deployment", "f"),
      object("ConfigMap", "g"),     object("Secret", "h"),     object("PersistentVolumeClaim", "i"),
      object("ServiceAccount", "j")};
  sort_for_apply(objects);
  std::string order;
  for (const auto& each : objects) {
    order += each.name();
  }
  EXPECT_EQ(order, "eghijdbfca");
}

TEST(ObjectKey, ReadsAsPeopleNameIt) {
  EXPECT_EQ(to_string(object("Deployment", "api").key()), "deployment/api");
}

}  // namespace
}  // namespace deployctl::kube
