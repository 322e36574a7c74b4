#include "core/kube/dropped_fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

namespace deployctl::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

json::Value parsed(const std::string& text) {
  auto value = json::parse(text, "a body");
  EXPECT_TRUE(value) << text;
  return value ? *value : json::Value();
}

std::string in_container(const std::string& members) {
  return R"({"spec":{"template":{"spec":{"containers":[{"name":"api",)" + members + "}]}}}}";
}

std::string entry(const std::string& manager, const std::string& operation, const std::string& container_fields) {
  return R"({"manager":")" + manager + R"(","operation":")" + operation +
         R"(","apiVersion":"apps/v1","fieldsV1":{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"api\"}":{".":{},"f:name":{})" +
         (container_fields.empty() ? "" : "," + container_fields) + "}}}}}}}";
}

json::Value live_with(const std::string& members, const std::string& entries) {
  auto body = parsed(in_container(members));
  body["metadata"]["managedFields"] = parsed("[" + entries + "]");
  return body;
}

constexpr const char* probe =
    R"("readinessProbe":{"httpGet":{"path":"/","port":"http","scheme":"HTTP"},"failureThreshold":3,"periodSeconds":5})";
constexpr const char* our_probe = R"("f:readinessProbe":{"f:httpGet":{"f:path":{},"f:port":{}},"f:periodSeconds":{}})";

std::vector<std::string> dropped(const json::Value& live, const std::string& wanted) {
  std::vector<std::string> texts;
  for (const auto& path : dropped_fields(live, parsed(wanted), "deployctl")) {
    texts.push_back(to_string(path));
  }
  return texts;
}

const std::string in_first = "spec.template.spec.containers[api].";

TEST(DroppedFields, AreAsLargeAsWhatIsOursAlone) {
  const auto live = live_with(probe, entry("deployctl", "Apply", our_probe));
  EXPECT_THAT(dropped(live, in_container(R"("image":"a")")), ElementsAre(in_first + "readinessProbe"));
  EXPECT_THAT(dropped(live, in_container(R"("readinessProbe":{"exec":{"command":["true"]},"periodSeconds":5})")),
              ElementsAre(in_first + "readinessProbe.httpGet"));
  EXPECT_THAT(dropped(live, in_container(probe)), IsEmpty());
}

TEST(DroppedFields, LeaveWhatOthersHaveSetBesideOurs) {
  const auto live = live_with(probe, entry("deployctl", "Apply", our_probe) + "," +
                                         entry("ada", "Update", R"("f:readinessProbe":{"f:failureThreshold":{}})"));
  EXPECT_THAT(dropped(live, in_container(R"("image":"a")")),
              ElementsAre(in_first + "readinessProbe.httpGet", in_first + "readinessProbe.periodSeconds"));
  const auto held = held_fields(live, parsed(in_container(R"("image":"a")")), "deployctl");
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(to_string(held[0].path) + " " + held[0].manager, in_first + "readinessProbe ada");
}

TEST(DroppedFields, TakeListElementsByTheirKeysAndFreeMapsKeyByKey) {
  const auto live = live_with(
      R"("env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],"resources":{"limits":{"cpu":"1","memory":"1Gi"}})",
      entry(
          "deployctl", "Apply",
          R"("f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}},"f:resources":{"f:limits":{"f:cpu":{}}})"));
  EXPECT_THAT(dropped(live, in_container(R"("env":[{"name":"B","value":"2"}],"resources":{})")),
              ElementsAre(in_first + "env[A]", in_first + "resources.limits.cpu"));
}

TEST(AddedFields, AreAsLargeAsNothingOfOursIsInThem) {
  const auto live = live_with(
      std::string(probe) + R"(,"image":"a","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}])",
      entry("deployctl", "Apply", R"("f:image":{},"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}})") +
          "," +
          entry(
              "kubectl-set", "Update",
              R"("f:env":{"k:{\"name\":\"B\"}":{".":{},"f:name":{},"f:value":{}}},"f:readinessProbe":{"f:httpGet":{"f:path":{}}})") +
          "," + entry("kube-controller-manager", "Update", R"("f:failureThreshold":{})"));
  const auto wanted = parsed(in_container(R"("image":"a","env":[{"name":"A","value":"1"}])"));
  const auto added = added_fields(live, wanted, "deployctl");
  std::vector<std::string> texts;
  std::ranges::transform(added, std::back_inserter(texts), [](const auto& path) { return to_string(path); });
  EXPECT_THAT(texts, ElementsAre(in_first + "env[B]", in_first + "readinessProbe"));
  EXPECT_EQ(patch_removing(added),
            parsed(in_container(R"("env":[{"name":"B","$patch":"delete"}],"readinessProbe":null)")));
}

TEST(AddedFields, AreListElementsAlsoWhereTheListIsNotWanted) {
  const auto live =
      live_with(R"("env":[{"name":"B","value":"2"}])",
                entry("kubectl-set", "Update", R"("f:env":{".":{},"k:{\"name\":\"B\"}":{".":{},"f:name":{}}})"));
  const auto added = added_fields(live, parsed(in_container(R"("image":"a")")), "deployctl");
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(to_string(added.front()), in_first + "env[B]");
}

TEST(PatchDropping, HoldsEverythingThatIsWantedAndTakesOutTheRest) {
  const auto live = live_with(
      std::string(probe) + R"(,"ports":[{"containerPort":8080,"protocol":"TCP"}])",
      entry("deployctl", "Apply",
            std::string(our_probe) +
                R"(,"f:ports":{"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}})"));
  const auto wanted = parsed(in_container(R"("image":"a:2")"));
  const auto patch = patch_dropping(wanted, dropped_fields(live, wanted, "deployctl"), "7");
  auto expected = parsed(in_container(
      R"("image":"a:2","ports":[{"$patch":"delete","containerPort":8080,"protocol":"TCP"}],"readinessProbe":null)"));
  expected["metadata"]["resourceVersion"] = "7";
  // The whole list of ports goes, as nothing of it is wanted.
  expected["spec"]["template"]["spec"]["containers"][0]["ports"] = nullptr;
  EXPECT_EQ(json::to_canonical_text(patch), json::to_canonical_text(expected));
}

TEST(PatchDropping, DeletesSingleElements) {
  const auto live =
      live_with(R"("env":[{"name":"A","value":"1"},{"name":"B","value":"2"}])",
                entry("deployctl", "Apply", R"("f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}})"));
  const auto wanted = parsed(in_container(R"("env":[{"name":"C","value":"3"}])"));
  const auto patch = patch_dropping(wanted, dropped_fields(live, wanted, "deployctl"), "7");
  EXPECT_EQ(json::to_compact_text(patch["spec"]["template"]["spec"]["containers"][0]["env"]),
            R"([{"name":"C","value":"3"},{"name":"A","$patch":"delete"}])");
}

TEST(PatchDisowning, GivesBackWhatOurUpdatesOwnedBefore) {
  const auto apply = entry("deployctl", "Apply", our_probe);
  const auto restart = entry("deployctl", "Update", R"("f:image":{})");
  const auto grown = entry("deployctl", "Update", R"("f:image":{},"f:env":{})");
  const auto other = entry("ada", "Update", R"("f:env":{})");
  const auto patched = [](const json::Value& before, const json::Value& after) {
    return json::to_compact_text(patch_disowning(before, after, "deployctl"));
  };
  const auto before = live_with(R"("image":"a")", apply + "," + other);
  const auto after = live_with(R"("image":"a")", apply + "," + other + "," + grown);
  EXPECT_EQ(patched(before, after), R"([{"op":"test","path":"/metadata/managedFields/2","value":)" +
                                        json::to_compact_text(parsed(grown)) +
                                        R"(},{"op":"remove","path":"/metadata/managedFields/2"}])");
  const auto with_restart = live_with(R"("image":"a")", apply + "," + restart);
  const auto with_grown = live_with(R"("image":"a")", apply + "," + grown);
  EXPECT_EQ(patched(with_restart, with_grown), R"([{"op":"test","path":"/metadata/managedFields/1","value":)" +
                                                   json::to_compact_text(parsed(grown)) +
                                                   R"(},{"op":"replace","path":"/metadata/managedFields/1","value":)" +
                                                   json::to_compact_text(parsed(restart)) + "}]");
  EXPECT_EQ(patched(with_restart, with_restart), "[]");
}

}  // namespace
}  // namespace deployctl::kube
