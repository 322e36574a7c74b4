#include "core/execute/object_drift.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::execute {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

kube::Object object(std::string_view kind, const std::string& spec) {
  auto body = json::parse(R"({"apiVersion":"v1","metadata":{"name":"api","namespace":"shop"},"spec":)" + spec + "}",
                          "an object");
  EXPECT_TRUE(body) << spec;
  (*body)["kind"] = kind;
  return {.body = *body};
}

ObjectStates states(std::string_view kind, const std::string& live, const std::string& applied) {
  return {
      .service = "api", .wanted = object(kind, applied), .live = object(kind, live), .applied = object(kind, applied)};
}

std::vector<std::string> lines(const ObjectDrift& drift) {
  std::vector<std::string> texts;
  for (const auto& each : drift.differences) {
    const auto* kind = each.kind == Difference::Kind::changed   ? "changed"
                       : each.kind == Difference::Kind::missing ? "missing"
                                                                : "added";
    texts.push_back(std::string(kind) + " " + each.object + " " + each.field + ": " + each.live + " -> " + each.wanted);
  }
  return texts;
}

TEST(ObjectDrift, IsEveryFieldThatAnApplyWouldChange) {
  const auto drift = object_drift(states("Deployment", R"({"replicas":5})", R"({"replicas":2,"paused":false})"), "");
  EXPECT_THAT(lines(drift), ElementsAre("changed deployment/api spec.replicas: 5 -> 2",
                                        "missing deployment/api spec.paused:  -> false"));
  EXPECT_FALSE(drift.removal);
}

TEST(ObjectDrift, IsNotWhatAnAutoscalerOrACanaryHas) {
  auto scaled = states("Deployment", R"({"replicas":5,"paused":true})", R"({"replicas":2,"paused":false})");
  scaled.has_autoscaler = true;
  EXPECT_THAT(lines(object_drift(scaled, "")), ElementsAre("changed deployment/api spec.paused: true -> false"));
  auto split = states("Service", R"({"selector":{"a":"b"}})", R"({"selector":{"a":"c"}})");
  EXPECT_THAT(lines(object_drift(split, "")), ElementsAre("changed service/api spec.selector.a: \"b\" -> \"c\""));
  split.has_canary = true;
  EXPECT_THAT(lines(object_drift(split, "")), IsEmpty());
}

TEST(ObjectDrift, IsWhatOthersAddedWithWhatTakesItOut) {
  auto added = states("Deployment", R"({"replicas":2,"paused":true})", R"({"replicas":2})");
  added.applied = added.live;
  added.live.body["metadata"]["managedFields"] = {{{"manager", "ada"},
                                                   {"operation", "Update"},
                                                   {"time", "2026-01-01T00:00:00Z"},
                                                   {"fieldsV1", {{"f:spec", {{"f:paused", json::Value::object()}}}}}}};
  const auto drift = object_drift(added, "prod");
  EXPECT_THAT(lines(drift), ElementsAre("added deployment/api spec.paused: true -> "));
  EXPECT_EQ(drift.differences.front().manager, "ada");
  ASSERT_TRUE(drift.removal);
  EXPECT_EQ(drift.removal->command,
            R"(kubectl patch deployment/api -n shop --context prod -p '{"spec":{"paused":null}}')");
}

}  // namespace
}  // namespace deployctl::execute
