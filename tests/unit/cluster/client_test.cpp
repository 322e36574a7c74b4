#include "core/cluster/client.hpp"

#include "tests/unit/cluster/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::cluster {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr const char* config_map_path = "/api/v1/namespaces/shop/configmaps/settings";
const kube::ObjectKey config_map_key{"v1", "ConfigMap", "shop", "settings"};

kube::Object config_map(std::string_view version = "") {
  kube::Object object{.body = {{"apiVersion", "v1"},
                               {"kind", "ConfigMap"},
                               {"metadata", {{"name", "settings"}, {"namespace", "shop"}}},
                               {"data", {{"smile", "😀/\x7f"}}}}};
  if (!version.empty()) {
    object.body["metadata"]["resourceVersion"] = version;
  }
  return object;
}

Answer with(const kube::Object& object, int status = 200) {
  return {.status = status, .body = object.body.dump()};
}

Answer refusal(int status, std::string_view reason, std::string_view rest = "{}") {
  return {.status = status,
          .body = fmt::format(R"({{"kind":"Status","reason":"{}","message":"m","details":{}}})", reason, rest)};
}

TEST(Apply, SendsOneServerSideApplyInAFormYamlReadersTakeForTheSame) {
  World world;
  world.transport.on(std::string("PATCH ") + config_map_path, {with(config_map("8"), 201)});
  const auto applied = world.client()->apply(config_map(), {.known_version = ""});
  ASSERT_TRUE(applied) << to_string(applied.error());
  EXPECT_EQ(applied->change, Change::created);
  EXPECT_THAT(world.transport.requests(),
              ElementsAre(std::string("PATCH ") + config_map_path + "?fieldManager=deployctl"));
  EXPECT_EQ(world.transport.request(0).headers.get("Content-Type"), "application/apply-patch+yaml");
  EXPECT_EQ(world.transport.request(0).headers.get("Authorization"), "Bearer secret");
  EXPECT_THAT(world.transport.body(0), testing::HasSubstr("😀/\\u007f"));
}

TEST(Apply, TellsUnchangedFromConfiguredByTheVersion) {
  World world;
  world.transport.on(std::string("GET ") + config_map_path, {with(config_map("8"))});
  world.transport.on(std::string("PATCH ") + config_map_path, {with(config_map("8")), with(config_map("9"))});
  const auto client = world.client();
  EXPECT_EQ(client->apply(config_map())->change, Change::unchanged);
  EXPECT_EQ(client->apply(config_map())->change, Change::configured);
  EXPECT_EQ(client->apply(config_map(), {.known_version = "9"})->change, Change::unchanged);
}

TEST(Apply, DryRunAndForceAreAskedForByTheQuery) {
  World world;
  world.transport.on(std::string("PATCH ") + config_map_path, {with(config_map("8"))});
  const auto client = world.client();
  ASSERT_TRUE(client->apply(config_map(), {.force = Force::yes, .dry_run = DryRun::yes, .known_version = "7"}));
  EXPECT_THAT(world.transport.requests(),
              ElementsAre(std::string("PATCH ") + config_map_path + "?fieldManager=deployctl&dryRun=All&force=true"));
}

constexpr const char* conflict_with_scale =
    R"({"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"kubectl-scale\" using v1","field":".data.smile"}]})";
constexpr const char* conflict_with_ourselves =
    R"({"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"deployctl\" using v1","field":".data.smile"}]})";

TEST(Apply, ReportsAConflictAndWritesNothing) {
  World world;
  auto live = config_map("8");
  live.body["data"]["smile"] = "no";
  world.transport.on(std::string("GET ") + config_map_path, {with(live)});
  world.transport.on(std::string("PATCH ") + config_map_path, {refusal(409, "Conflict", conflict_with_scale)});
  const auto applied = world.client()->apply(config_map(), {.known_version = "8"});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, base::ErrorCode::conflict);
  EXPECT_THAT(applied.error().message,
              testing::StartsWith("configmap/settings has fields that others manage: .data.smile belongs to "
                                  "kubectl-scale (it has \"no\", we want "));
}

TEST(Apply, TakesOverWhatOurOwnPatchesOwn) {
  World world;
  world.transport.on(std::string("PATCH ") + config_map_path,
                     {refusal(409, "Conflict", conflict_with_ourselves), with(config_map("9"))});
  const auto applied = world.client()->apply(config_map(), {.known_version = "8"});
  ASSERT_TRUE(applied) << to_string(applied.error());
  EXPECT_EQ(applied->change, Change::configured);
  EXPECT_THAT(world.transport.requests()[1], testing::HasSubstr("force=true"));
}

constexpr const char* deployment_path = "/apis/apps/v1/namespaces/shop/deployments/api";

// A Deployment with a probe, as the server has it once we have applied the probe.
kube::Object live_with_probe(bool with_our_update) {
  auto body = json::parse(
      R"({"apiVersion":"apps/v1","kind":"Deployment",
          "metadata":{"name":"api","namespace":"shop","resourceVersion":"7","managedFields":[
            {"manager":"deployctl","operation":"Apply","apiVersion":"apps/v1","fieldsV1":{"f:spec":{"f:probe":{"f:path":{}}}}}]},
          "spec":{"probe":{"path":"/","scheme":"HTTP"}}})",
      "the test");
  if (with_our_update) {
    (*body)["metadata"]["managedFields"].push_back(
        {{"manager", "deployctl"}, {"operation", "Update"}, {"apiVersion", "apps/v1"}});
  }
  return {.body = *body};
}

kube::Object without_probe() {
  return {.body = {{"apiVersion", "apps/v1"},
                   {"kind", "Deployment"},
                   {"metadata", {{"name", "api"}, {"namespace", "shop"}}},
                   {"spec", {{"replicas", 2}}}}};
}

TEST(Apply, TakesOutInOnePatchWhatTheServersApplyCannot) {
  World world;
  world.transport.on(std::string("GET ") + deployment_path, {with(live_with_probe(false))});
  world.transport.on(std::string("PATCH ") + deployment_path,
                     {refusal(422, "Invalid"), with(live_with_probe(true)), with(live_with_probe(false)),
                      with(live_with_probe(false))});
  ASSERT_TRUE(world.client()->apply(without_probe(), {.known_version = "6"}));
  std::vector<std::string> types;
  for (std::size_t i = 0; i < world.transport.requests().size(); ++i) {
    types.push_back(world.transport.request(i).headers.get("Content-Type").value_or(""));
  }
  EXPECT_THAT(types, ElementsAre("application/apply-patch+yaml", "", "application/strategic-merge-patch+json",
                                 "application/json-patch+json", "application/apply-patch+yaml"));
  const auto patch = json::parse(world.transport.body(2), "the patch");
  ASSERT_TRUE(patch);
  EXPECT_EQ((*patch)["metadata"]["resourceVersion"], "7");
  EXPECT_EQ(json::to_canonical_text((*patch)["spec"]), R"({"probe":null,"replicas":2})");
}

TEST(Apply, InADryRunOnlyAsksWhatTakingOutWouldGive) {
  World world;
  world.transport.on(std::string("GET ") + deployment_path, {with(live_with_probe(false))});
  world.transport.on(std::string("PATCH ") + deployment_path, {refusal(422, "Invalid"), with(without_probe())});
  const auto tried = world.client()->apply(without_probe(), {.dry_run = DryRun::yes, .known_version = ""});
  ASSERT_TRUE(tried);
  EXPECT_EQ(tried->object, without_probe());
  EXPECT_THAT(world.transport.requests(),
              ElementsAre(std::string("PATCH ") + deployment_path + "?fieldManager=deployctl&dryRun=All",
                          std::string("GET ") + deployment_path,
                          std::string("PATCH ") + deployment_path + "?fieldManager=deployctl&dryRun=All"));
}

TEST(Apply, LeavesARefusalThatIsAboutNothingDroppedAsItIs) {
  World world;
  world.transport.on(std::string("GET ") + deployment_path, {with(without_probe())});
  world.transport.on(std::string("PATCH ") + deployment_path, {refusal(422, "Invalid")});
  const auto refused = world.client()->apply(without_probe(), {.known_version = "6"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::invalid_input);
  EXPECT_EQ(world.transport.requests().size(), 2U);
}

TEST(Apply, OfAnObjectThatIsGoingAwayIsNoSuccess) {
  World world;
  auto leaving = config_map("8");
  leaving.body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  leaving.body["metadata"]["finalizers"] = {"example.com/hold"};
  world.transport.on(std::string("PATCH ") + config_map_path, {with(leaving)});
  const auto applied = world.client()->apply(config_map(), {.known_version = "8"});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().message, "configmap/settings is being deleted");
  EXPECT_EQ(applied.error().hint, "wait until it has gone; a finalizer may be holding it: [\"example.com/hold\"]");
}

TEST(Apply, SendsAnAutoscalerInTheVersionTheServerHas) {
  World world;
  world.transport.on(
      "GET /apis", {{.body = R"({"groups":[{"name":"autoscaling","versions":[{"version":"v1"},{"version":"v2beta2"}],)"
                             R"("preferredVersion":{"version":"v1"}}]})"}});
  const kube::Object scaler{
      .body = {{"apiVersion", "autoscaling/v2"}, {"kind", "HorizontalPodAutoscaler"}, {"metadata", {{"name", "api"}}}}};
  world.transport.on("PATCH /apis/autoscaling/v2beta2/namespaces/shop/horizontalpodautoscalers/api",
                     {with(scaler, 201)});
  const auto client = world.client();
  ASSERT_TRUE(client->apply(scaler, {.known_version = ""}));
  ASSERT_TRUE(client->apply(scaler, {.known_version = ""}));
  EXPECT_EQ(world.transport.requests().size(), 3U) << "discovery is asked once";
  EXPECT_THAT(world.transport.body(1), testing::HasSubstr("\"namespace\":\"shop\""));
}

TEST(Requests, ComeBackWhenTheServerAsksThemTo) {
  World world;
  world.transport.on(std::string("GET ") + config_map_path,
                     {{.status = 429, .body = "Too many requests", .headers = {{"Retry-After", "2"}}},
                      {.status = 503, .headers = {{"Retry-After", "1"}}},
                      with(config_map("8"))});
  EXPECT_TRUE(world.client()->get(config_map_key));
  EXPECT_EQ(world.clock.passed(), milliseconds(3000));
}

TEST(Requests, AreGivenUpWhenTheServerKeepsAsking) {
  World world;
  world.transport.on(std::string("GET ") + config_map_path, {{.status = 429, .headers = {{"Retry-After", "20"}}}});
  const auto got = world.client()->get(config_map_key);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "cannot read configmap/settings in namespace shop: the API server is overloaded");
  EXPECT_EQ(world.transport.requests().size(), 2U);
}

TEST(Requests, DoNotRepeatAnApplyThatDoesNotFitTheSchema) {
  World world;
  world.transport.on(std::string("PATCH ") + config_map_path,
                     {{.status = 500, .body = R"({"kind":"Status","message":"failed to create typed patch object"})"}});
  const auto applied = world.client()->apply(config_map(), {.known_version = ""});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, base::ErrorCode::invalid_input);
  EXPECT_EQ(world.transport.requests().size(), 1U);
}

TEST(Requests, GiveUpSoonOnAServerThatNeverAnswered) {
  World world;
  world.transport.on(std::string("GET ") + config_map_path, {unreachable_answer()});
  const auto got = world.client()->get(config_map_key);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, base::ErrorCode::unreachable);
  EXPECT_LE(world.clock.passed(), milliseconds(1000));
}

TEST(Requests, WaitForAServerThatHasAnsweredBefore) {
  World world;
  world.transport.on(std::string("GET ") + config_map_path,
                     {with(config_map("8")), unreachable_answer(), unreachable_answer(), unreachable_answer(),
                      unreachable_answer(), with(config_map("8"))});
  const auto client = world.client();
  EXPECT_TRUE(client->get(config_map_key));
  EXPECT_TRUE(client->get(config_map_key)) << "it was restarted";
}

TEST(Requests, WaitOnceForAServerThatStaysAway) {
  World world;
  world.transport.on(std::string("GET ") + config_map_path, {with(config_map("8")), unreachable_answer()});
  const auto client = world.client();
  ASSERT_TRUE(client->get(config_map_key));
  EXPECT_FALSE(client->get(config_map_key));
  const auto waited = world.clock.passed();
  EXPECT_GT(waited, std::chrono::seconds(50));
  EXPECT_LE(waited, std::chrono::seconds(60));
  EXPECT_FALSE(client->get(config_map_key));
  EXPECT_LE(world.clock.passed() - waited, std::chrono::seconds(1));
}

TEST(Requests, AreRepeatedOnceWithANewToken) {
  World world;
  world.files.put("/token", "one");
  world.transport.on(std::string("GET ") + config_map_path, {{.status = 401}, with(config_map("8")), {.status = 401}});
  const auto client = world.client("{tokenFile: /token}");
  EXPECT_TRUE(client->get(config_map_key));
  EXPECT_FALSE(client->get(config_map_key));
  EXPECT_EQ(world.transport.requests().size(), 4U);
}

TEST(Requests, CollectTheServersWarningsOnce) {
  World world;
  auto answer = with(config_map("8"));
  answer.headers.add("Warning", "299 - \"policy/v1beta1 is deprecated\"");
  world.transport.on(std::string("PATCH ") + config_map_path, {answer});
  const auto applied = world.client()->apply(config_map(), {.known_version = "8"});
  ASSERT_TRUE(applied);
  EXPECT_THAT(applied->warnings, ElementsAre("policy/v1beta1 is deprecated"));
}

std::string page(std::string_view name, std::string_view next) {
  return fmt::format(
      R"({{"metadata":{{"resourceVersion":"100","continue":"{}"}},"items":[{{"metadata":{{"name":"{}"}}}}]}})", next,
      name);
}

TEST(List, ReadsAllPagesAndFillsInTheKind) {
  World world;
  world.transport.on("GET /apis/apps/v1/namespaces/shop/deployments",
                     {{.body = page("a", "more")}, {.body = page("b", "")}});
  const auto list = world.client()->list(
      {.resource = kube::resource_of("Deployment"), .name_space = "shop", .label_selector = "app=api"});
  ASSERT_TRUE(list) << to_string(list.error());
  ASSERT_EQ(list->items.size(), 2U);
  EXPECT_EQ(list->items[1].key(), (kube::ObjectKey{"apps/v1", "Deployment", "", "b"}));
  EXPECT_EQ(list->resource_version, "100");
  EXPECT_THAT(world.transport.requests()[1], testing::HasSubstr("labelSelector=app%3Dapi&continue=more"));
}

TEST(List, BeginsAnewWhenItExpiresBetweenTwoPages) {
  World world;
  world.transport.on("GET /api/v1/namespaces/shop/pods",
                     {{.body = page("a", "more")}, refusal(410, "Expired"), {.body = page("c", "")}});
  const auto list = world.client()->list({.resource = kube::resource_of("Pod"), .name_space = "shop"});
  ASSERT_TRUE(list) << to_string(list.error());
  ASSERT_EQ(list->items.size(), 1U);
  EXPECT_EQ(list->items[0].name(), "c");
}

TEST(Remove, CanBeTiedToOneObject) {
  World world;
  world.transport.on(std::string("DELETE ") + config_map_path, {{.body = "{}"}});
  EXPECT_TRUE(world.client()->remove(config_map_key, {.uid = "u"}));
  EXPECT_EQ(
      world.transport.body(0),
      R"({"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background","preconditions":{"uid":"u"}})");
}

TEST(Create, IsNotRepeatedWhenTheAnswerIsLost) {
  World world;
  world.transport.on("POST /api/v1/namespaces/shop/configmaps", {unreachable_answer()});
  EXPECT_FALSE(world.client()->create(config_map()));
  EXPECT_EQ(world.transport.requests().size(), 1U);
}

TEST(Logs, AreAskedForWithTheirLimits) {
  World world;
  world.transport.on("GET /api/v1/namespaces/shop/pods/p/log", {{.body = "one\ntwo\n"}});
  const auto text =
      world.client()->logs({.name_space = "shop", .pod = "p", .container = "c", .previous = true, .tail_lines = 5});
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "one\ntwo\n");
  EXPECT_THAT(world.transport.requests(),
              ElementsAre("GET /api/v1/namespaces/shop/pods/p/log?container=c&previous=true&tailLines=5"
                          "&limitBytes=65536"));
}

TEST(Logs, AreNotWhatTheKubeletSaysInTheirPlace) {
  for (const auto* lost : {R"(failed to try resolving symlinks in path "/var/log/pods/p/1.log": lstat: no such file)",
                           "unable to retrieve container logs for containerd://1f31c55c\n",
                           "rpc error: code = Unknown desc = Error: No such container: e229"}) {
    World world;
    world.transport.on("GET /api/v1/namespaces/shop/pods/p/log", {{.body = lost}});
    const auto text = world.client()->logs({.name_space = "shop", .pod = "p", .container = "c"});
    ASSERT_FALSE(text);
    EXPECT_EQ(base::to_string(text.error()), "the log of pod/p is gone, with its container");
  }
  World world;
  world.transport.on("GET /api/v1/namespaces/shop/pods/p/log",
                     {{.body = "unable to retrieve container logs\nsays a program that reads some\n"}});
  EXPECT_TRUE(world.client()->logs({.name_space = "shop", .pod = "p", .container = "c"}));
}

TEST(May, AsksTheServer) {
  World world;
  world.transport.on("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                     {{.status = 201, .body = R"({"status":{"allowed":true}})"}});
  const auto allowed = world.client()->may("get", kube::resource_of("Pod"), "shop", "log");
  ASSERT_TRUE(allowed);
  EXPECT_TRUE(*allowed);
  EXPECT_THAT(world.transport.body(0), testing::HasSubstr(R"("resource":"pods","subresource":"log")"));
}

}  // namespace
}  // namespace deployctl::cluster
