#include "core/kube/field_diff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

json::Value parsed(const std::string& text) {
  auto value = json::parse(text, "a body");
  EXPECT_TRUE(value) << text;
  return value ? *value : json::Value();
}

// "path: before -> after", "-" for nothing.
std::vector<std::string> lines_of(const std::vector<FieldChange>& changes) {
  const auto text = [](const std::optional<json::Value>& value) {
    return value ? json::to_compact_text(*value) : std::string("-");
  };
  std::vector<std::string> lines;
  for (const auto& change : changes) {
    lines.push_back(to_string(change.path) + ": " + text(change.before) + " -> " + text(change.after));
  }
  return lines;
}

std::vector<std::string> paths_of(const std::vector<FieldPath>& paths) {
  std::vector<std::string> texts;
  for (const auto& path : paths) {
    texts.push_back(to_string(path));
  }
  return texts;
}

std::string deployment(const std::string& container) {
  return R"({"spec":{"template":{"spec":{"containers":[{"name":"api",)" + container + "}]}}}}";
}

std::vector<std::string> container_changes(const std::string& before, const std::string& after) {
  return lines_of(field_changes(parsed(deployment(before)), parsed(deployment(after))));
}

TEST(FieldChanges, NameElementsByTheKeysTheServerMergesThemBy) {
  const std::string container = "spec.template.spec.containers[api].";
  EXPECT_THAT(container_changes(R"("image":"a:1")", R"("image":"a:2")"),
              ElementsAre(container + R"(image: "a:1" -> "a:2")"));
  EXPECT_THAT(
      container_changes(R"("env":[{"name":"A","value":"1"},{"name":"B","value":"2"}])",
                        R"("env":[{"name":"C","value":"3"},{"name":"A","value":"0"}])"),
      ElementsAre(container + R"(env[A].value: "1" -> "0")", container + R"(env[B]: {"name":"B","value":"2"} -> -)",
                  container + R"(env[C]: - -> {"name":"C","value":"3"})"));
  EXPECT_THAT(
      container_changes(R"("ports":[{"containerPort":80}])", R"("ports":[{"containerPort":80,"protocol":"TCP"}])"),
      ElementsAre(container + R"(ports[80].protocol: - -> "TCP")"));
  EXPECT_THAT(container_changes(R"("volumeMounts":[{"name":"x","mountPath":"/a"}])",
                                R"("volumeMounts":[{"name":"y","mountPath":"/a"}])"),
              ElementsAre(container + R"(volumeMounts[/a].name: "x" -> "y")"));
}

TEST(FieldChanges, OfOtherListsAreOfTheWhole) {
  EXPECT_THAT(container_changes(R"("args":["a","b"])", R"("args":["b"])"),
              ElementsAre(R"(spec.template.spec.containers[api].args: ["a","b"] -> ["b"])"));
}

TEST(FieldChanges, TellAnOrderThatMeansSomething) {
  const auto changes =
      container_changes(R"("env":[{"name":"A"},{"name":"B"}])", R"("env":[{"name":"B"},{"name":"A"}])");
  EXPECT_EQ(changes.size(), 1U);
}

TEST(FieldChanges, LeaveOutWhatTheServerWritesByItself) {
  EXPECT_THAT(
      field_changes(parsed(R"({"metadata":{"name":"a","resourceVersion":"1","managedFields":[]},"status":{"x":1}})"),
                    parsed(R"({"metadata":{"name":"a","generation":2,"uid":"u"},"status":{"x":2}})")),
      IsEmpty());
}

// A Deployment that deployctl applied, a person edited, and a controller scaled.
const std::string managed = R"({"metadata":{"labels":{"a":"1"},"managedFields":[
  {"manager":"deployctl","operation":"Apply","time":"2026-11-28T01:00:00Z","fieldsType":"FieldsV1","fieldsV1":{
     "f:metadata":{"f:labels":{"f:a":{}}},
     "f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"api\"}":{".":{},"f:name":{},"f:args":{},
        "f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}},
  {"manager":"kubectl-edit","operation":"Update","time":"2026-11-28T02:00:00Z","fieldsType":"FieldsV1","fieldsV1":{
     "f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"api\"}":{
        "f:image":{},"f:args":{},"f:env":{".":{},"k:{\"name\":\"DEBUG\"}":{".":{},"f:name":{},"f:value":{}}}}}}}}}},
  {"manager":"kube-controller-manager","operation":"Update","time":"2026-11-28T03:00:00Z","fieldsType":"FieldsV1",
   "fieldsV1":{"f:spec":{"f:replicas":{}},"f:status":{"f:replicas":{}}}}]},
  "spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"api","image":"a:1","args":["x"],
     "ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"DEBUG","value":"1"}]}]}}}})";

const FieldPath container{"spec", "template", "spec", "containers", ElementKey{{{"name", "api"}}}};

FieldPath in_container(std::vector<FieldStep> steps) {
  auto path = container;
  path.insert(path.end(), steps.begin(), steps.end());
  return path;
}

std::vector<std::string> names_of(const std::vector<FieldManager>& managers) {
  std::vector<std::string> names;
  for (const auto& manager : managers) {
    names.push_back(manager.name);
  }
  return names;
}

TEST(FieldManagers, AreThoseWhoSetTheFieldTheLatestFirst) {
  const auto body = parsed(managed);
  EXPECT_THAT(names_of(managers_of(body, in_container({"image"}))), ElementsAre("kubectl-edit"));
  EXPECT_THAT(names_of(managers_of(body, in_container({"args"}))), ElementsAre("kubectl-edit", "deployctl"));
  EXPECT_THAT(names_of(managers_of(body, {"spec", "replicas"})), ElementsAre("kube-controller-manager"));
  EXPECT_THAT(
      names_of(managers_of(body, in_container({"ports", ElementKey{{{"containerPort", 80}, {"protocol", "TCP"}}}}))),
      ElementsAre("deployctl"));
  EXPECT_THAT(names_of(managers_of(body, in_container({"env", ElementKey{{{"name", "DEBUG"}}}, "value"}))),
              ElementsAre("kubectl-edit"));
  EXPECT_THAT(managers_of(body, in_container({"imagePullPolicy"})), IsEmpty()) << "a default of the server's";
  EXPECT_EQ(managers_of(body, in_container({"image"})).front().time, "2026-11-28T02:00:00Z");
}

TEST(ForeignFields, AreWhatPeopleAddedAndControllersDidNot) {
  EXPECT_THAT(
      paths_of(foreign_fields(parsed(managed), "deployctl")),
      ElementsAre("spec.template.spec.containers[api].image", "spec.template.spec.containers[api].env[DEBUG].name",
                  "spec.template.spec.containers[api].env[DEBUG].value"));
}

TEST(FieldValues, AreFoundByTheirPath) {
  const auto body = parsed(managed);
  const auto* value = find_value(body, in_container({"env", ElementKey{{{"name", "DEBUG"}}}, "value"}));
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, "1");
  EXPECT_EQ(find_value(body, in_container({"env", ElementKey{{{"name", "NONE"}}}})), nullptr);
  EXPECT_EQ(find_value(body, {"spec", "replicas", "x"}), nullptr);
}

TEST(FieldValues, OfSecretsAreNotShown) {
  EXPECT_EQ(shown_value("Secret", {"data", "PASSWORD"}, "czNjcjN0"), "***");
  EXPECT_EQ(shown_value("Secret", {"data"}, parsed(R"({"PASSWORD":"czNjcjN0"})")), "***");
  EXPECT_EQ(shown_value("Secret", {"type"}, "Opaque"), "\"Opaque\"");
  EXPECT_EQ(shown_value("ConfigMap", {"data", "A"}, "1"), "\"1\"");
}

}  // namespace
}  // namespace deployctl::kube
