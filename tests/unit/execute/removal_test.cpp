#include "core/execute/removal.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::execute {
namespace {

const kube::ObjectKey deployment{"apps/v1", "Deployment", "shop", "api"};
const kube::ObjectKey route{"gateway.networking.k8s.io/v1", "HTTPRoute", "shop", "api"};

TEST(Removal, IsOnePatchForAllThatWasAddedToAnObject) {
  const auto removal =
      removal_of(deployment, {{"spec", "paused"}, {"spec", "template", "metadata", "annotations", "it's"}}, "prod");
  ASSERT_TRUE(removal);
  EXPECT_EQ(removal->object, "deployment/api");
  EXPECT_EQ(removal->command,
            "kubectl patch deployment/api -n shop --context prod -p "
            R"('{"spec":{"paused":null,"template":{"metadata":{"annotations":{"it'\''s":null}}}}}')");
  EXPECT_TRUE(removal->replaces_pods);
  EXPECT_FALSE(removal_of(deployment, {{"spec", "paused"}}, "")->replaces_pods);
}

TEST(Removal, OfACustomKindLeavesListsAlone) {
  const kube::FieldStep element = kube::ElementKey{.members = {{"name", "x"}}};
  EXPECT_FALSE(removal_of(route, {{"spec", "parentRefs", element}}, ""));
  EXPECT_EQ(removal_of(route, {{"spec", "hostnames"}}, "")->command,
            R"(kubectl patch httproute/api -n shop --type=merge -p '{"spec":{"hostnames":null}}')");
}

TEST(Removal, IsNothingWhereNothingWasAdded) {
  EXPECT_FALSE(removal_of(deployment, {}, ""));
}

}  // namespace
}  // namespace deployctl::execute
