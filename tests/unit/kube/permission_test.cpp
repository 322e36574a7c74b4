#include "core/kube/permission.hpp"

#include "core/yaml/emit.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

const Permission patch_deployments = permission("patch", resource_of("Deployment"));

AccessRules rules_of(const std::string& rules, const std::string& incomplete = "false") {
  const auto review =
      json::parse(R"({"status":{"incomplete":)" + incomplete + R"(,"resourceRules":)" + rules + "}}", "a review");
  EXPECT_TRUE(review);
  return access_rules_from(*review);
}

TEST(AccessRules, AllowWhatOneOfThemNames) {
  struct Row {
    std::string rule;
    Permission permission;
    bool is_allowed;
  };
  const auto logs = permission("get", resource_of("Pod"), "log");
  const std::vector<Row> rows{
      {R"({"verbs":["patch"],"apiGroups":["apps"],"resources":["deployments"]})", patch_deployments, true},
      {R"({"verbs":["*"],"apiGroups":["*"],"resources":["*"]})", patch_deployments, true},
      {R"({"verbs":["get"],"apiGroups":["apps"],"resources":["deployments"]})", patch_deployments, false},
      {R"({"verbs":["patch"],"apiGroups":[""],"resources":["deployments"]})", patch_deployments, false},
      {R"({"verbs":["patch"],"apiGroups":["apps"],"resources":["statefulsets"]})", patch_deployments, false},
      {R"({"verbs":["patch"],"apiGroups":["apps"],"resources":["deployments"],"resourceNames":["api"]})",
       patch_deployments, false},
      {R"({"verbs":["get"],"apiGroups":[""],"resources":["pods"]})", logs, false},
      {R"({"verbs":["get"],"apiGroups":[""],"resources":["pods/log"]})", logs, true},
      {R"({"verbs":["get"],"apiGroups":[""],"resources":["*/log"]})", logs, true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(allows(rules_of("[" + row.rule + "]"), row.permission), row.is_allowed) << row.rule;
  }
  EXPECT_FALSE(allows(rules_of("[]"), patch_deployments));
}

TEST(AccessRules, SayWhenTheyAreNotAll) {
  EXPECT_FALSE(rules_of("[]").is_incomplete);
  EXPECT_TRUE(rules_of("[]", "true").is_incomplete);
}

TEST(Permissions, AreToldAsKubernetesNamesThem) {
  EXPECT_EQ(to_string(patch_deployments), "patch deployments.apps");
  EXPECT_EQ(to_string(permission("get", resource_of("Pod"), "log")), "get pods/log");
}

TEST(Roles, GiveWhatIsAskedForAndNothingElse) {
  const std::vector<Permission> asked{patch_deployments,
                                      permission("create", resource_of("Deployment")),
                                      permission("patch", resource_of("ConfigMap")),
                                      permission("create", resource_of("ConfigMap")),
                                      permission("patch", resource_of("Service")),
                                      permission("create", resource_of("Service")),
                                      permission("get", resource_of("Namespace"))};
  std::string text;
  for (const auto& role : roles_for("shop-deployer", "shop", asked)) {
    text += yaml::emit(role.body) + "---\n";
  }
  EXPECT_EQ(text, R"(apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: shop-deployer
  namespace: shop
rules:
- apiGroups:
  - ""
  resources:
  - configmaps
  - services
  verbs:
  - create
  - patch
- apiGroups:
  - apps
  resources:
  - deployments
  verbs:
  - create
  - patch
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: shop-deployer
rules:
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - get
---
)");
}

}  // namespace
}  // namespace deployctl::kube
