#include "core/kube/pod.hpp"

#include "core/kube/node.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

TEST(Pod, BringsSpecAndStatusOfItsContainersTogether) {
  const json::Value body = {
      {"metadata",
       {{"name", "api-1-a"},
        {"uid", "p"},
        {"ownerReferences", {{{"uid", "x"}, {"controller", false}}, {{"uid", "rs"}, {"controller", true}}}}}},
      {"spec",
       {{"nodeName", "n1"},
        {"initContainers", {{{"name", "wait"}}, {{"name", "proxy"}, {"restartPolicy", "Always"}}}},
        {"containers",
         {{{"name", "api"},
           {"image", "shop/api:1"},
           {"readinessProbe", {{"periodSeconds", 5}, {"initialDelaySeconds", 2}}},
           {"startupProbe", {{"failureThreshold", 30}, {"periodSeconds", 1}}}}}}}},
      {"status",
       {{"phase", "Running"},
        {"conditions", {{{"type", "Ready"}, {"status", "False"}}}},
        {"containerStatuses",
         {{{"name", "api"},
           {"restartCount", 2},
           {"state", {{"waiting", {{"reason", "CrashLoopBackOff"}}}}},
           {"lastState", {{"terminated", {{"exitCode", 137}, {"reason", "OOMKilled"}}}}}}}}}}};
  const auto pod = Pod::from_json(body);
  EXPECT_EQ(pod.owner_uid, "rs");
  EXPECT_FALSE(pod.is_ready());
  ASSERT_EQ(pod.containers.size(), 3U);
  EXPECT_EQ(pod.containers[0].role, Container::Role::init);
  EXPECT_EQ(pod.containers[1].role, Container::Role::sidecar);
  EXPECT_EQ(pod.containers[1].statuses, "initContainerStatuses");
  const auto& api = pod.containers[2];
  EXPECT_EQ(api.role, Container::Role::main);
  EXPECT_EQ(api.waiting_reason, "CrashLoopBackOff");
  EXPECT_EQ(api.exits(), 3);
  ASSERT_NE(api.latest_exit(), nullptr);
  EXPECT_EQ(api.latest_exit()->reason, "OOMKilled");
  EXPECT_EQ(api.readiness_budget, std::chrono::seconds(2 + 3 * 5 + 30));
}

TEST(Pod, OfAJobHasContainersThatEndAndStandWhereThoseOfOthersDo) {
  const json::Value body = {{"spec", {{"restartPolicy", "Never"}, {"containers", {{{"name", "migrate"}}}}}}};
  const auto pod = Pod::from_json(body);
  ASSERT_EQ(pod.containers.size(), 1U);
  EXPECT_EQ(pod.containers[0].role, Container::Role::init);
  EXPECT_EQ(pod.containers[0].statuses, "containerStatuses");
}

TEST(Pod, HasEndedWhenNothingOfItRunsThoughItsObjectIsStillThere) {
  const auto pod = [](const json::Value& state, std::string_view phase, bool is_deleted) {
    json::Value body = {{"metadata", {{"name", "api-1-a"}}},
                        {"spec", {{"initContainers", {{{"name", "wait"}}}}, {"containers", {{{"name", "api"}}}}}},
                        {"status", {{"phase", phase}, {"containerStatuses", {{{"name", "api"}, {"state", state}}}}}}};
    if (is_deleted) {
      body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    }
    return Pod::from_json(body);
  };
  const json::Value running = {{"running", {{"startedAt", "2026-01-01T00:00:00Z"}}}};
  const json::Value ended = {{"terminated", {{"exitCode", 0}}}};
  EXPECT_TRUE(pod(ended, "Running", true).has_ended());
  EXPECT_TRUE(pod(ended, "Failed", false).has_ended());
  EXPECT_FALSE(pod(ended, "Running", false).has_ended()) << "it will be started again";
  EXPECT_FALSE(pod(running, "Running", true).has_ended());
  EXPECT_FALSE(pod(json::Value::object(), "Pending", true).has_ended()) << "its node has said nothing yet";
}

TEST(Pod, OfANodeThatHasSaidNothingYetIsWaiting) {
  const json::Value body = {{"spec", {{"containers", {{{"name", "api"}}}}}}};
  const auto pod = Pod::from_json(body);
  ASSERT_EQ(pod.containers.size(), 1U);
  EXPECT_EQ(pod.containers[0].state, Container::State::waiting);
  EXPECT_EQ(pod.containers[0].exits(), 0);
}

TEST(Pod, TellsWhatTheSchedulerNeedsToKnow) {
  const json::Value body = {
      {"spec",
       {{"readinessGates", {{{"conditionType", "lb.example.com/up"}}}},
        {"volumes",
         {{{"name", "tmp"}, {"emptyDir", json::Value::object()}},
          {{"name", "data"}, {"persistentVolumeClaim", {{"claimName", "api-data"}}}}}},
        {"containers",
         {{{"name", "api"},
           {"resources", {{"requests", {{"cpu", "500m"}, {"memory", "1Gi"}}}, {"limits", {{"memory", "1Gi"}}}}}},
          {{"name", "proxy"}, {"resources", {{"requests", {{"cpu", "1"}}}}}}}}}}};
  const auto pod = Pod::from_json(body);
  EXPECT_EQ(pod.requests, "cpu 500m, memory 1Gi + cpu 1");
  EXPECT_EQ(pod.claims, std::vector<std::string>{"api-data"});
  EXPECT_EQ(pod.readiness_gates, std::vector<std::string>{"lb.example.com/up"});
  EXPECT_EQ(pod.containers[0].memory_limit, 1LL << 30);
  EXPECT_EQ(pod.containers[0].ended_by, "");
}

TEST(Node, TellsWhatIsWrongWithIt) {
  const json::Value body = {{"metadata", {{"name", "n1"}}},
                            {"spec", {{"unschedulable", true}}},
                            {"status",
                             {{"conditions",
                               {{{"type", "MemoryPressure"}, {"status", "False"}},
                                {{"type", "DiskPressure"}, {"status", "True"}, {"message", "disk is full"}},
                                {{"type", "Ready"}, {"status", "Unknown"}, {"message", "no word"}}}}}}};
  const std::vector<std::string> troubles = {"n1 has DiskPressure: disk is full", "n1 is not ready: no word",
                                             "n1 takes no new pods (cordoned)"};
  EXPECT_EQ(node_troubles(body), troubles);
  EXPECT_TRUE(node_troubles({{"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}}).empty());
}

TEST(Event, TakesTheLatestOfItsTimesAndTheLargestOfItsCounts) {
  const json::Value old_form = {{"involvedObject", {{"uid", "p"}, {"fieldPath", "spec.containers{api}"}}},
                                {"type", "Warning"},
                                {"count", 3},
                                {"lastTimestamp", "2026-01-01T00:00:09Z"},
                                {"eventTime", nullptr},
                                {"metadata", {{"creationTimestamp", "2026-01-01T00:00:01Z"}}}};
  const auto event = Event::from_json(old_form);
  EXPECT_EQ(event.time, "2026-01-01T00:00:09Z");
  EXPECT_EQ(event.count, 3);
  EXPECT_EQ(event.container, "api");
  EXPECT_TRUE(event.is_warning);
  const json::Value new_form = {{"eventTime", "2026-01-01T00:00:02.000000Z"},
                                {"lastTimestamp", nullptr},
                                {"series", {{"count", 7}, {"lastObservedTime", "2026-01-01T00:00:20.000000Z"}}}};
  EXPECT_EQ(Event::from_json(new_form).time, "2026-01-01T00:00:20.000000Z");
  EXPECT_EQ(Event::from_json(new_form).count, 7);
}

}  // namespace
}  // namespace deployctl::kube
