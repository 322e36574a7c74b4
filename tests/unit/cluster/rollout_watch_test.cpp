#include "core/cluster/rollout_watch.hpp"

#include "tests/unit/cluster/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <latch>
#include <thread>

namespace deployctl::cluster {
namespace {

using kube::RolloutResult;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ElementsAre;

constexpr const char* deployments = "GET /apis/apps/v1/namespaces/shop/deployments";
constexpr const char* replica_sets = "GET /apis/apps/v1/namespaces/shop/replicasets";
constexpr const char* pods = "GET /api/v1/namespaces/shop/pods";
constexpr const char* events = "GET /api/v1/namespaces/shop/events";

json::Value deployment(int available) {
  return {{"metadata", {{"name", "api"}, {"uid", "d"}, {"generation", 2}, {"resourceVersion", "5"}}},
          {"spec", {{"replicas", 1}, {"template", {{"spec", {{"a", 1}}}}}}},
          {"status",
           {{"observedGeneration", 2}, {"replicas", 1}, {"updatedReplicas", 1}, {"availableReplicas", available}}}};
}

json::Value replica_set() {
  return {{"metadata", {{"name", "api-2"}, {"uid", "r"}, {"ownerReferences", {{{"uid", "d"}, {"controller", true}}}}}},
          {"spec", {{"template", {{"spec", {{"a", 1}}}}}}}};
}

json::Value broken_pod() {
  return {
      {"metadata", {{"name", "api-2-a"}, {"uid", "p"}, {"ownerReferences", {{{"uid", "r"}, {"controller", true}}}}}},
      {"spec", {{"nodeName", "n"}, {"containers", {{{"name", "api"}}}}}},
      {"status",
       {{"containerStatuses",
         {{{"name", "api"},
           {"restartCount", 1},
           {"state", {{"waiting", {{"reason", "CrashLoopBackOff"}}}}},
           {"lastState", {{"terminated", {{"exitCode", 127}, {"reason", "Error"}}}}}}}}}}};
}

std::string added(const json::Value& object) {
  return json::Value({{"type", "ADDED"}, {"object", object}}).dump();
}

Answer open_stream(std::vector<std::string> lines) {
  return {.lines = std::move(lines), .ends = false};
}

void serve_idle(World& world) {
  for (const auto* path : {deployments, replica_sets, pods, events}) {
    world.transport.on(path, {open_stream({})});
  }
}

kube::RolloutTarget target() {
  auto written = deployment(0);
  written["kind"] = "Deployment";
  return target_of("shop-api", {.body = written});
}

struct Run {
  std::vector<std::string> said;
  std::vector<std::string> log;
  base::Result<std::vector<kube::RolloutOutcome>> outcomes = std::vector<kube::RolloutOutcome>();
};

Run run(World& world, milliseconds limit, std::stop_token stop = {}, RolloutWatchOptions options = {}) {
  const auto client = world.client();
  Run result;
  RolloutObserver observer;
  observer.on_status = [&](const std::string& service, const kube::RolloutStatus& status) {
    result.said.push_back(service + ": " + status.summary);
  };
  observer.on_finding = [&](const std::string&, const ExplainedFinding& explained) {
    result.said.push_back(explained.finding.rule);
    result.log = explained.log;
  };
  observer.on_note = [&](const std::string& text) { result.said.push_back("note: " + text); };
  RolloutWatch watch(*client, "shop", options);
  watch.follow(target());
  result.outcomes = watch.wait(steady_clock::now() + limit, observer, std::move(stop));
  return result;
}

TEST(RolloutWatch, IsDoneAsSoonAsTheServerSaysSo) {
  World world;
  serve_idle(world);
  world.transport.on(deployments, {open_stream({added(deployment(0)), added(deployment(1))})});
  const auto before = steady_clock::now();
  const auto result = run(world, std::chrono::seconds(20));
  ASSERT_TRUE(result.outcomes);
  ASSERT_EQ(result.outcomes->size(), 1U);
  EXPECT_EQ(result.outcomes->front().result, RolloutResult::done);
  EXPECT_EQ(result.outcomes->front().service, "shop-api");
  EXPECT_EQ(result.said.back(), "shop-api: 1 of 1 replicas are available");
  EXPECT_LT(steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_LE(world.transport.requests().size(), 4U) << "one request for each kind";
}

void refuse_pods(World& world) {
  auto refused = replica_set();
  refused["status"]["conditions"] = {{{"type", "ReplicaFailure"},
                                      {"status", "True"},
                                      {"reason", "FailedCreate"},
                                      {"message",
                                       "pods \"a\" is forbidden: exceeded quota: small, requested: pods=1, "
                                       "used: pods=1, limited: pods=1"}}};
  serve_idle(world);
  world.transport.on(deployments, {open_stream({added(deployment(0))})});
  world.transport.on(replica_sets, {open_stream({added(refused)})});
}

// No other rollout needs them.
TEST(RolloutWatch, LooksAtQuotasOnceOneHasRefusedAPod) {
  World world;
  refuse_pods(world);
  world.transport.on("GET /api/v1/namespaces/shop/resourcequotas",
                     {{.body = R"({"metadata":{"resourceVersion":"7"},"items":[]})"}, open_stream({})});
  const auto result = run(world, milliseconds(1'500));
  ASSERT_EQ(result.said.size(), 3U);
  EXPECT_EQ(result.said[1], "quota-exceeded");
  EXPECT_EQ(result.said[2], "quota-relieved") << "it is gone";
}

TEST(RolloutWatch, LooksAtNoQuotasWhereTheyMayNotBeRead) {
  World world;
  refuse_pods(world);
  world.transport.on("GET /api/v1/namespaces/shop/resourcequotas",
                     {{.status = 403, .body = R"({"kind":"Status","reason":"Forbidden","message":"no","code":403})"}});
  EXPECT_THAT(run(world, milliseconds(500)).said,
              ElementsAre("shop-api: waiting for 1 of 1 new replicas to become available", "quota-exceeded"));
}

TEST(RolloutWatch, FailsWithTheCauseAndWhatTheContainerPrinted) {
  World world;
  serve_idle(world);
  world.transport.on(deployments, {open_stream({added(deployment(0))})});
  world.transport.on(replica_sets, {open_stream({added(replica_set())})});
  world.transport.on(pods, {open_stream({added(broken_pod())})});
  world.transport.on("GET /api/v1/namespaces/shop/pods/api-2-a/log", {{.body = "one\n\x1b[31mtwo\n\n"}});
  const auto result = run(world, std::chrono::seconds(20));
  ASSERT_TRUE(result.outcomes);
  EXPECT_EQ(result.outcomes->front().result, RolloutResult::failed);
  ASSERT_EQ(result.outcomes->front().findings.size(), 1U);
  EXPECT_EQ(result.outcomes->front().findings[0].object, "pod/api-2-a");
  EXPECT_THAT(result.log, ElementsAre("one", "two"));
}

TEST(RolloutWatch, IsUndecidedAtTheDeadline) {
  World world;
  serve_idle(world);
  const auto result = run(world, milliseconds(50));
  ASSERT_TRUE(result.outcomes);
  EXPECT_EQ(result.outcomes->front().result, RolloutResult::undecided);
}

// Two rollouts that begin one after the other, on watches that another thread runs.
TEST(RolloutWatch, TellsRolloutsOneByOneWhileMoreAreFollowed) {
  World world;
  serve_idle(world);
  world.transport.on(deployments, {open_stream({added(deployment(1))})});
  const auto client = world.client();
  RolloutWatch watch(*client, "shop");
  std::latch first(1);
  std::vector<std::string> ended;
  const RolloutObserver observer{.on_outcome = [&](const kube::RolloutOutcome& outcome) {
    ended.push_back(outcome.deployment + " " + std::string(kube::to_string(outcome.result)));
    if (ended.size() == 1) {
      first.count_down();
    }
  }};
  base::Status end = base::Error::interrupted();
  std::jthread runner([&] { end = watch.run(observer, {}); });
  watch.follow(target());
  first.wait();
  auto never = target();
  never.deployment = "not-there";
  never.deadline = moment(steady_clock::now() + milliseconds(20));
  watch.follow(never);
  watch.close();
  runner.join();
  EXPECT_TRUE(end);
  EXPECT_THAT(ended, ElementsAre("api done", "not-there undecided"));
}

TEST(RolloutWatch, FollowsAJobToItsEnd) {
  World world;
  serve_idle(world);
  const json::Value job = {{"metadata", {{"name", "migrate"}, {"uid", "j"}, {"resourceVersion", "5"}}},
                           {"status", {{"conditions", {{{"type", "Complete"}, {"status", "True"}}}}}}};
  json::Value pod = broken_pod();
  pod["metadata"]["ownerReferences"][0]["uid"] = "j";
  pod["status"]["containerStatuses"][0]["state"] = {{"running", {{"startedAt", "2026-01-01T00:00:00Z"}}}};
  world.transport.on(pods, {open_stream({added(pod)})});
  world.transport.on("GET /apis/batch/v1/namespaces/shop/jobs", {open_stream({added(job)})});
  const auto client = world.client();
  RolloutWatch watch(*client, "shop", {.with_jobs = true});
  watch.follow(job_target("migrate of api", {.body = job}));
  const auto outcomes = watch.wait(steady_clock::now() + std::chrono::seconds(20), {}, {});
  ASSERT_TRUE(outcomes);
  ASSERT_EQ(outcomes->size(), 1U);
  EXPECT_EQ(outcomes->front().result, RolloutResult::done);
  EXPECT_EQ(outcomes->front().service, "migrate of api");
}

TEST(RolloutWatch, IsInterruptedAtOnce) {
  World world;
  serve_idle(world);
  std::stop_source stop;
  stop.request_stop();
  const auto result = run(world, std::chrono::hours(1), stop.get_token());
  ASSERT_TRUE(result.outcomes);
  EXPECT_EQ(result.outcomes->front().result, RolloutResult::interrupted);
}

constexpr const char* forbidden =
    R"({"kind":"Status","message":"User \"ci\" cannot watch resource \"x\" in API group \"\" in the namespace \"shop\""})";

TEST(RolloutWatch, DoesWithoutEventsWhenItMustAndSaysSo) {
  World world;
  serve_idle(world);
  world.transport.on(events, {{.status = 403, .body = forbidden}});
  const auto result = run(world, milliseconds(300));
  ASSERT_TRUE(result.outcomes);
  EXPECT_THAT(result.said, ElementsAre("note: causes may be found later: user ci may not watch x in namespace shop"));
}

TEST(RolloutWatch, CannotDoWithoutPods) {
  World world;
  serve_idle(world);
  world.transport.on(pods, {{.status = 403, .body = forbidden}});
  const auto result = run(world, std::chrono::seconds(20));
  ASSERT_FALSE(result.outcomes);
  EXPECT_EQ(to_string(result.outcomes.error()), "watching the rollout: user ci may not watch x in namespace shop");
}

TEST(RolloutWatch, BeginsAnewWhenTheWatchHasDiedSilently) {
  World world;
  serve_idle(world);
  auto done = deployment(1);
  done["metadata"]["resourceVersion"] = "6";
  const auto listing = json::Value({{"metadata", {{"resourceVersion", "6"}}}, {"items", {done}}}).dump();
  world.transport.on(deployments, {open_stream({added(deployment(0))}), {.body = listing}, open_stream({})});
  world.transport.on("GET /apis/apps/v1/namespaces/shop/deployments/api", {{.body = done.dump()}});
  for (const auto* path : {replica_sets, pods, events}) {
    world.transport.on(path, {open_stream({}), {.body = R"({"metadata":{},"items":[]})"}, open_stream({})});
  }
  const auto result = run(world, std::chrono::seconds(20), {}, {.safety_poll = milliseconds(50)});
  ASSERT_TRUE(result.outcomes);
  EXPECT_EQ(result.outcomes->front().result, RolloutResult::done);
}

TEST(RolloutWatch, FindsOutThatTheWatchOfThePodsHasDied) {
  World world;
  serve_idle(world);
  auto with_hash = replica_set();
  with_hash["metadata"]["labels"] = {{"pod-template-hash", "abc"}};
  auto pod = broken_pod();
  pod["metadata"]["resourceVersion"] = "7";
  const auto listing = json::Value({{"metadata", {{"resourceVersion", "7"}}}, {"items", {pod}}}).dump();
  world.transport.on(deployments, {open_stream({added(deployment(0))}), {.body = R"({"metadata":{},"items":[]})"}});
  world.transport.on(replica_sets, {open_stream({added(with_hash)})});
  world.transport.on(pods, {open_stream({}), {.body = listing}});
  world.transport.on("GET /apis/apps/v1/namespaces/shop/deployments/api", {{.body = deployment(0).dump()}});
  const auto result = run(world, std::chrono::seconds(20), {}, {.safety_poll = milliseconds(50), .log_lines = 0});
  ASSERT_TRUE(result.outcomes);
  EXPECT_EQ(result.outcomes->front().result, RolloutResult::failed);
}

TEST(RolloutWatch, TakesTheWordOfTheRegistryItself) {
  World world;
  serve_idle(world);
  auto pod = broken_pod();
  pod["spec"]["containers"][0]["image"] = "shop/api:2";
  pod["status"]["containerStatuses"][0] = {
      {"name", "api"}, {"state", {{"waiting", {{"reason", "ErrImagePull"}, {"message", "manifest unknown"}}}}}};
  world.transport.on(deployments, {open_stream({added(deployment(0))})});
  world.transport.on(replica_sets, {open_stream({added(replica_set())})});
  world.transport.on(pods, {open_stream({added(pod)})});
  RolloutWatchOptions options;
  options.ask_registry = [](const std::string& image, const std::stop_token&) {
    EXPECT_EQ(image, "shop/api:2");
    return kube::verdict::ImageAnswer::missing;
  };
  const auto result = run(world, std::chrono::seconds(20), {}, options);
  ASSERT_TRUE(result.outcomes);
  EXPECT_EQ(result.outcomes->front().result, RolloutResult::failed);
  EXPECT_THAT(result.said, testing::IsSupersetOf({"image-not-found", "image-missing"}));
}

TEST(RolloutWatch, KnowsNothingWhenTheServerDoesNotAnswerAtTheDeadline) {
  World world;
  for (const auto* path : {deployments, replica_sets, pods, events}) {
    world.transport.on(path, {unreachable_answer()});
  }
  const auto result = run(world, milliseconds(300));
  ASSERT_TRUE(result.outcomes);
  EXPECT_EQ(result.outcomes->front().result, RolloutResult::unseen);
  EXPECT_THAT(result.outcomes->front().blind, testing::HasSubstr("cannot reach the cluster"));
}

}  // namespace
}  // namespace deployctl::cluster
