#include "core/kube/hidden_variables.hpp"

#include <gtest/gtest.h>

namespace deployctl::kube {
namespace {

Object parsed(std::string_view text) {
  auto value = json::parse(text, "a body");
  EXPECT_TRUE(value) << text;
  return {value ? *value : json::Value()};
}

const Object wanted = parsed(R"({"spec": {"template": {"spec": {"containers": [
    {"name": "web", "envFrom": [{"configMapRef": {"name": "web-config"}}], "env": [{"name": "KEY"}]},
    {"name": "proxy"}]}}}})");

// As the server has it after 'kubectl set env'.
const Object applied = parsed(R"({
  "metadata": {"managedFields": [{"manager": "kubectl-set", "operation": "Update", "apiVersion": "apps/v1",
    "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1":
    {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}":
      {"f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:value": {}}}}}}}}}}]},
  "spec": {"template": {"spec": {"containers": [
    {"name": "proxy", "env": [{"name": "A", "value": "1"}]},
    {"name": "web", "env": [{"name": "KEY"}, {"name": "A", "value": "1"}, {"name": "NEW", "value": "1"}]}]}}}})");

VariableMaps maps() {
  VariableMaps maps;
  add_keys(maps, parsed(R"({"kind": "ConfigMap", "metadata": {"name": "web-config"},
                            "data": {"A": "2", "B": "3", "KEY": "4"}})"));
  add_keys(maps, parsed(R"({"kind": "Secret", "metadata": {"name": "web-config"}, "data": {"NEW": "Mg=="}})"));
  return maps;
}

TEST(HiddenVariables, AreThoseThatSomebodyElseHasSetOnTheSameContainer) {
  const auto hidden = hidden_variables(wanted, applied, maps(), "deployctl");
  ASSERT_EQ(hidden.size(), 1U);
  EXPECT_EQ(hidden[0].container, "web");
  EXPECT_EQ(hidden[0].name, "A");
  EXPECT_EQ(to_string(hidden[0].path), "spec.template.spec.containers[web].env[A]");
  ASSERT_TRUE(hidden[0].manager);
  EXPECT_EQ(hidden[0].manager->name, "kubectl-set");
}

TEST(HiddenVariables, AreNoneWhereNothingIsNamed) {
  EXPECT_TRUE(hidden_variables(wanted, applied, {}, "deployctl").empty());
  EXPECT_TRUE(hidden_variables(wanted, wanted, maps(), "deployctl").empty());
  EXPECT_TRUE(hidden_variables({}, applied, maps(), "deployctl").empty());
}

TEST(HiddenVariables, AreTheProjectsOnceWhatHidesThemIsGone) {
  const auto after = without(applied, hidden_variables(wanted, applied, maps(), "deployctl"));
  EXPECT_TRUE(hidden_variables(wanted, after, maps(), "deployctl").empty());
  EXPECT_EQ(after.body["spec"]["template"]["spec"]["containers"][1]["env"].size(), 2U);
}

}  // namespace
}  // namespace deployctl::kube
