#include "core/plan/capacity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

kube::Object object(const std::string& text) {
  auto value = json::parse(text, "an object");
  EXPECT_TRUE(value) << text;
  return {value ? *value : json::Value()};
}

kube::Object deployment(const std::string& spec, const std::string& resources = "{}") {
  return object(R"({"kind":"Deployment","metadata":{"name":"api"},"spec":{)" + spec + (spec.empty() ? "" : ",") +
                R"("template":{"spec":{"containers":[{"name":"api","resources":)" + resources + "}]}}}}");
}

kube::Object quota(const std::string& hard, const std::string& used) {
  return object(R"({"metadata":{"name":"compute"},"spec":{"hard":{)" + hard + R"(}},"status":{"used":{)" + used +
                "}}}");
}

kube::Object limits(const std::string& item) {
  return object(R"({"metadata":{"name":"limits"},"spec":{"limits":[{"type":"Container",)" + item + "}]}}");
}

kube::Object node(const std::string& cpu, const std::string& memory, const std::string& more = "") {
  return object(R"({"metadata":{"labels":{"kubernetes.io/os":"linux")" + more +
                R"(}},"status":{"allocatable":{"cpu":")" + cpu + R"(","memory":")" + memory + "\"}}}");
}

std::vector<std::string> words(const std::vector<Shortage>& shortages) {
  std::vector<std::string> words;
  for (const auto& shortage : shortages) {
    words.push_back((shortage.kind == Shortage::Kind::growth ? "growth: " : "surge: ") + shortage.words);
  }
  return words;
}

TEST(PodNeed, IsTheSumOfRequestsWithTheDefaultsOfTheNamespace) {
  const auto given = pod_need(deployment("", R"({"requests":{"cpu":"100m","memory":"64Mi"},"limits":{"cpu":1}})"), {});
  EXPECT_EQ(given.cpu_request, 100);
  EXPECT_EQ(given.cpu_limit, 1000);
  EXPECT_EQ(given.memory_request, 64LL * 1024 * 1024 * 1000);
  EXPECT_EQ(given.memory_limit, std::nullopt);
  EXPECT_EQ(pod_need(deployment("", R"({"limits":{"cpu":"500m"}})"), {}).cpu_request, 500) << "the limit stands for it";
  EXPECT_EQ(pod_need(deployment(""), {limits(R"("defaultRequest":{"cpu":"10m"},"default":{"cpu":"20m"})")}).cpu_request,
            10);
  EXPECT_EQ(pod_need(deployment(""), {}), PodNeed{});
}

TEST(Peak, CountsWhatGrowsAndWhatIsThereForAWhile) {
  const std::string rolling = R"("strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":)";
  struct Row {
    std::string desired;
    std::string live;  // replicas; empty: nothing runs
    int growth;
    int surge;
    bool down_first;
  };
  const std::vector<Row> rows{
      {R"("replicas":3)", "", 3, 0, false},
      {R"("replicas":3,)" + rolling + R"(1,"maxUnavailable":0}})", "3", 0, 1, false},
      {R"("replicas":4,)" + rolling + R"("25%","maxUnavailable":"25%"}})", "2", 2, 1, true},
      {R"("replicas":3,)" + rolling + R"("25%","maxUnavailable":"25%"}})", "3", 0, 1, false},
      {R"("replicas":3,"strategy":{"type":"Recreate"})", "3", 0, 0, false},
      {rolling + R"(2,"maxUnavailable":1}})", "5", 0, 2, true},  // an autoscaler has the replicas
      {R"("replicas":1,)" + rolling + R"(1,"maxUnavailable":0}})", "4", 0, 1, false},
  };
  for (const auto& row : rows) {
    const auto live = deployment(R"("replicas":)" + (row.live.empty() ? "0" : row.live));
    const auto peak = peak_of(deployment(row.desired), row.live.empty() ? nullptr : &live);
    EXPECT_EQ(peak.growth, row.growth) << row.desired;
    EXPECT_EQ(peak.surge, row.surge) << row.desired;
    EXPECT_EQ(peak.can_go_down_first, row.down_first) << row.desired;
  }
}

TEST(Peak, CountsWhatARolloutBeforeHasLeftOnce) {
  const auto desired = deployment(
      R"("replicas":3,"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":2,"maxUnavailable":0}})");
  auto live = deployment(R"("replicas":3)");
  live.body["status"]["replicas"] = 4;
  EXPECT_EQ(peak_of(desired, &live).surge, 1) << "the broken pod goes first";
  live.body["status"]["replicas"] = 9;
  EXPECT_EQ(peak_of(desired, &live).surge, 0);
}

TEST(Quotas, AreComparedWithThePeak) {
  const PodNeed need{.cpu_request = 500, .memory_request = 64LL << 20U << 10U, .cpu_limit = {}, .memory_limit = {}};
  const auto shortages = [&](Peak peak, const kube::Object& quota) {
    return words(quota_shortages({{.object = "deployment/api", .need = need, .peak = peak}}, {quota}));
  };
  const auto pods = quota(R"("pods":"3")", R"("pods":"3")");
  EXPECT_THAT(
      shortages({.growth = 1}, pods),
      ElementsAre("growth: quota compute allows 3 of pods, 3 are used, and the rollout needs 1 more at its peak"));
  EXPECT_THAT(
      shortages({.surge = 1}, pods),
      ElementsAre("surge: quota compute allows 3 of pods, 3 are used, and the rollout needs 1 more at its peak"));
  EXPECT_THAT(shortages({.surge = 1, .can_go_down_first = true}, pods), IsEmpty());
  EXPECT_THAT(shortages({.surge = 1}, quota(R"("pods":"4")", R"("pods":"3")")), IsEmpty());
  EXPECT_THAT(
      shortages({.growth = 2}, quota(R"("requests.cpu":"2")", R"("requests.cpu":"1500m")")),
      ElementsAre("growth: quota compute allows 2 of requests.cpu, 1500m are used, and the rollout needs 1 more at "
                  "its peak"));
  EXPECT_THAT(
      shortages({.growth = 1}, quota(R"("limits.memory":"1Gi")", "")),
      ElementsAre("growth: quota compute limits limits.memory, so every pod must say how much it takes, and the "
                  "pods of deployment/api do not"));
  EXPECT_THAT(shortages({}, quota(R"("limits.memory":"1Gi")", "")), IsEmpty()) << "nothing new is made";
}

TEST(Quotas, ForSomePodsOnlyArePassedOver) {
  const auto scoped = object(R"({"metadata":{"name":"q"},"spec":{"hard":{"pods":"0"},"scopes":["BestEffort"]}})");
  EXPECT_THAT(quota_shortages({{.object = "deployment/api", .need = {}, .peak = {.growth = 1}}}, {scoped}), IsEmpty());
}

TEST(Limits, AreHeldAgainstEveryContainer) {
  const auto violations = [](const std::string& resources, const std::string& item) {
    return limit_violations(deployment("", resources), {limits(item)});
  };
  EXPECT_THAT(
      violations(R"({"requests":{"memory":"16Mi"},"limits":{"memory":"16Mi"}})", R"("min":{"memory":"64Mi"})"),
      ElementsAre("container api asks for memory 16.0 MiB, and the LimitRange limits demands at least 64.0 MiB"));
  EXPECT_THAT(violations(R"({"limits":{"cpu":4}})", R"("max":{"cpu":"2"})"),
              ElementsAre("container api may use cpu 4, and the LimitRange limits allows at most 2"));
  EXPECT_THAT(violations("{}", R"("max":{"cpu":"2"})"),
              ElementsAre("container api has no limit for cpu, and the LimitRange limits allows at most 2"));
  EXPECT_THAT(violations("{}", R"("max":{"cpu":"2"},"default":{"cpu":"1"})"), IsEmpty());
  EXPECT_THAT(violations(R"({"limits":{"cpu":1}})", R"("max":{"cpu":"2"})"), IsEmpty());
}

TEST(Nodes, HaveRoomForOnePodOrNot) {
  const PodNeed need{.cpu_request = 3000, .memory_request = 1LL << 30U, .cpu_limit = {}, .memory_limit = {}};
  EXPECT_TRUE(room_on_nodes(need, {node("2", "4Gi"), node("4", "4Gi")}).fits);
  const auto none = room_on_nodes(need, {node("2", "8Gi"), node("1", "4Gi")});
  EXPECT_FALSE(none.fits);
  EXPECT_FALSE(none.may_grow);
  EXPECT_EQ(none.largest, "cpu 2, memory 8.0 GiB");
  EXPECT_TRUE(room_on_nodes(need, {node("2", "8Gi", R"(,"cloud.google.com/gke-nodepool":"a")")}).may_grow);
  EXPECT_TRUE(room_on_nodes(need, {}).fits) << "nothing to measure by";
}

kube::Object named_node(const std::string& name, const std::string& spec = "{}", const std::string& labels = "{}") {
  return object(R"({"metadata":{"name":")" + name + R"(","labels":)" + labels + R"(},"spec":)" + spec +
                R"(,"status":{"allocatable":{"cpu":"2","memory":"4Gi","pods":"10"}}})");
}

kube::Object pod_on(const std::string& node, const std::string& cpu, const std::string& more = "") {
  return object(R"({"metadata":{"name":"other")" + more + R"(},"spec":{"nodeName":")" + node +
                R"(","containers":[{"resources":{"requests":{"cpu":")" + cpu +
                R"("}}}],"initContainers":[{"resources":{"requests":{"cpu":"100m"}}}]},"status":{"phase":"Running"}})");
}

TEST(Nodes, HaveWhatOtherPodsLeave) {
  const auto load = [](const std::string& cpu, Peak peak) {
    return Load{.object = "deployment/api",
                .need = pod_need(deployment("", R"({"requests":{"cpu":")" + cpu + "\"}}"), {}),
                .peak = peak};
  };
  const auto short_of = [&](const std::vector<Load>& loads, const std::vector<kube::Object>& nodes,
                            const std::vector<kube::Object>& pods) {
    return words(shortages_beside(loads, nodes, pods));
  };
  const std::vector<kube::Object> nodes{named_node("a"), named_node("b")};
  const std::vector<kube::Object> pods{pod_on("a", "1500m"), pod_on("b", "1"), pod_on("b", "200m")};
  EXPECT_THAT(short_of({load("800m", {.surge = 1})}, nodes, pods), IsEmpty());
  EXPECT_THAT(short_of({load("900m", {.surge = 1})}, nodes, pods),
              ElementsAre("surge: no node has room for one more pod of deployment/api (cpu 900m, memory 0 B): other "
                          "pods leave cpu 800m, memory 4.0 GiB, 8 pods where there is most"));
  EXPECT_THAT(short_of({load("900m", {.surge = 1, .can_go_down_first = true})}, nodes, pods), IsEmpty())
      << "old pods make room";
  EXPECT_THAT(short_of({load("500m", {.growth = 2}), load("500m", {.surge = 1})}, nodes, pods),
              ElementsAre("growth: the rollout needs cpu 1500m, memory 0 B, 3 pods more at its peak, and other pods "
                          "leave cpu 1300m, memory 8.0 GiB, 17 pods on the nodes"));
  EXPECT_THAT(short_of({load("900m", {.growth = 1})}, nodes,
                       {pod_on("a", "1500m"), pod_on("b", "1200m", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")")}),
              IsEmpty())
      << "a pod that is going leaves its room";
  EXPECT_THAT(short_of({load("900m", {.growth = 1})},
                       {named_node("a"), named_node("b", R"({"taints":[{"key":"gpu","effect":"NoSchedule"}]})")}, pods),
              ElementsAre(::testing::HasSubstr("other pods leave cpu 500m")))
      << "a tainted node takes none";
  EXPECT_THAT(
      short_of({load("900m", {.growth = 1})}, {named_node("a", "{}", R"({"eks.amazonaws.com/nodegroup":"x"})")}, pods),
      IsEmpty())
      << "an autoscaler may bring another node";
  EXPECT_FALSE(asks_for_room({.object = "deployment/api", .need = {}, .peak = {.growth = 1}}))
      << "what says nothing can run anywhere";
}

}  // namespace
}  // namespace deployctl::plan
