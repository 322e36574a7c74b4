#include "core/kube/adoption.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::kube {
namespace {

constexpr std::string_view ours = "deployctl";

json::Value parsed(std::string_view text) {
  auto value = json::parse(text, "a body");
  EXPECT_TRUE(value) << text;
  return value ? *value : json::Value();
}

json::Value entry(std::string_view manager, std::string_view operation, std::string_view fields,
                  std::string_view time = "2026-01-01T00:00:00Z") {
  return {{"manager", manager}, {"operation", operation},   {"apiVersion", "apps/v1"},
          {"time", time},       {"fieldsType", "FieldsV1"}, {"fieldsV1", parsed(fields)}};
}

json::Value live(std::initializer_list<json::Value> entries) {
  auto managers = json::Value::array();
  for (const auto& each : entries) {
    managers.push_back(each);
  }
  return {{"apiVersion", "apps/v1"}, {"metadata", {{"resourceVersion", "7"}, {"managedFields", managers}}}};
}

const json::Value wanted = {{"apiVersion", "apps/v1"}, {"spec", {{"replicas", 2}}}};

json::Value managers_after(const json::Value& before, const json::Value& object = wanted) {
  const auto patch = adoption_patch(before, object, ours);
  return patch ? patch->at(1).at("value") : json::Value();
}

TEST(Adoption, IsNotNeededForWhatWeMadeOurselves) {
  EXPECT_FALSE(adoption_patch(live({entry("deployctl", "Apply", R"({"f:spec":{}})")}), wanted, ours));
  EXPECT_FALSE(adoption_patch(live({}), wanted, ours));
}

TEST(Adoption, MakesTheFieldsOfKubectlOursInTheVersionThatWasSeen) {
  const auto patch = adoption_patch(
      live({entry("kubectl-client-side-apply", "Update", R"({"f:spec":{"f:paused":{}}})", "2026-02-01T00:00:00Z")}),
      wanted, ours);
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->at(0), (json::Value{{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", "7"}}));
  EXPECT_EQ(patch->at(1).at("path"), "/metadata/managedFields");
  EXPECT_EQ(patch->at(1).at("value"),
            json::Value::array({entry("deployctl", "Apply", R"({"f:spec":{"f:paused":{}}})", "2026-02-01T00:00:00Z")}));
}

TEST(Adoption, IsTheSameForATrial) {
  const auto before = live({entry("kubectl-create", "Update", R"({"f:spec":{"f:paused":{}}})")});
  const auto after = adopted(before, wanted, ours);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->at("metadata").at("managedFields"), managers_after(before));
  EXPECT_EQ(after->at("metadata").at("resourceVersion"), "7");
  EXPECT_FALSE(adopted(live({}), wanted, ours));
}

TEST(Adoption, AddsToWhatIsOursAlready) {
  const auto managers = managers_after(
      live({entry("deployctl", "Apply", R"({"f:spec":{"f:template":{".":{},"f:a":{}}}})"),
            entry("kubectl-create", "Update", R"({"f:spec":{"f:template":{"f:b":{}}},"f:metadata":{}})")}));
  EXPECT_EQ(managers,
            json::Value::array({entry("deployctl", "Apply",
                                      R"({"f:spec":{"f:template":{".":{},"f:a":{},"f:b":{}}},"f:metadata":{}})")}));
}

TEST(Adoption, LeavesControllersPeopleAndOtherToolsWhatIsTheirs) {
  const auto controller = entry("kube-controller-manager", "Update", R"({"f:status":{}})");
  const auto person = entry("kubectl-edit", "Update", R"({"f:spec":{"f:paused":{}}})");
  const auto tool = entry("helm", "Apply", R"({"f:spec":{"f:paused":{}}})");
  EXPECT_FALSE(adoption_patch(live({controller, person, tool}), wanted, ours));
  const auto managers =
      managers_after(live({controller, person, tool, entry("kubectl-create", "Update", R"({"f:spec":{}})")}));
  EXPECT_EQ(managers, json::Value::array({controller, person, tool, entry("deployctl", "Apply", R"({"f:spec":{}})")}));
}

TEST(Adoption, LeavesFieldsOfAnotherVersionOfTheApi) {
  auto old = entry("kubectl-create", "Update", R"({"f:spec":{}})");
  old["apiVersion"] = "extensions/v1beta1";
  EXPECT_FALSE(adoption_patch(live({old}), wanted, ours));
}

TEST(Adoption, DoesNotTakeReplicasThatAnAutoscalerIsToHave) {
  const auto before = live({entry("kubectl-create", "Update", R"({"f:spec":{"f:paused":{},"f:replicas":{}}})")});
  EXPECT_TRUE(managers_after(before).at(0).at("fieldsV1").at("f:spec").contains("f:replicas"));
  const auto managers = managers_after(before, {{"apiVersion", "apps/v1"}, {"spec", json::Value::object()}});
  EXPECT_EQ(managers, json::Value::array({entry("deployctl", "Apply", R"({"f:spec":{"f:paused":{}}})")}));
}

const json::Value workload = parsed(R"({
  "apiVersion": "apps/v1",
  "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "env": [{"name": "KEY"}]}]}}}
})");

std::string of_web(std::string_view env) {
  return R"({"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":)" + std::string(env) + "}}}}}";
}

TEST(Adoption, TakesTheVariablesThatTheObjectSetsItself) {
  const auto managers = managers_after(
      live({entry("kubectl-set", "Update",
                  of_web(R"({"f:env":{"k:{\"name\":\"KEY\"}":{"f:value":{}},"k:{\"name\":\"OWN\"}":{".":{}}}})"))}),
      workload);
  EXPECT_EQ(managers,
            json::Value::array(
                {entry("kubectl-set", "Update", of_web(R"({"f:env":{"k:{\"name\":\"OWN\"}":{".":{}}}})")),
                 entry("deployctl", "Apply", of_web(R"({"f:env":{"k:{\"name\":\"KEY\"}":{"f:value":{}}}})"), "")}));
}

TEST(Adoption, TakesWhatItIsTold) {
  const auto before = live({entry("kubectl-edit", "Update",
                                  of_web(R"({"f:image":{},"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:value":{}}}})")),
                            entry("helm", "Apply", of_web(R"({"f:env":{"k:{\"name\":\"A\"}":{".":{}}}})"))});
  const std::vector<FieldPath> also{
      {"spec", "template", "spec", "containers", ElementKey{{{"name", "web"}}}, "env", ElementKey{{{"name", "A"}}}}};
  EXPECT_FALSE(adoption_patch(before, workload, ours));
  const auto patch = adoption_patch(before, workload, ours, also);
  ASSERT_TRUE(patch);
  // An empty f:env left behind would make all variables theirs.
  EXPECT_EQ(patch->at(1).at("value"),
            json::Value::array({entry("kubectl-edit", "Update", of_web(R"({"f:image":{}})")),
                                entry("helm", "Apply", of_web(R"({"f:env":{"k:{\"name\":\"A\"}":{".":{}}}})")),
                                entry("deployctl", "Apply",
                                      of_web(R"({"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:value":{}}}})"), "")}));
}

TEST(Adoption, TakesTheListAlongOfWhichNothingIsLeft) {
  const std::vector<FieldPath> also{
      {"spec", "template", "spec", "containers", ElementKey{{{"name", "web"}}}, "env", ElementKey{{{"name", "A"}}}}};
  const auto patch = adoption_patch(
      live({entry("kubectl-set", "Update", of_web(R"({"f:env":{".":{},"k:{\"name\":\"A\"}":{".":{}}}})"))}), workload,
      ours, also);
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->at(1).at("value"),
            json::Value::array(
                {entry("kubectl-set", "Update", "{}"),
                 entry("deployctl", "Apply", of_web(R"({"f:env":{"k:{\"name\":\"A\"}":{".":{}},".":{}}})"), "")}));
}

}  // namespace
}  // namespace deployctl::kube
