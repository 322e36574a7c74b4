#include "core/plan/release.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::plan {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

const Wish whole_release{.services = {}, .build = true, .push = true, .rollout = true};

project::Target shop() {
  project::Service api{.name = {"api", {}}, .build = project::Build{}, .image = {"example.com/shop/api", {}}};
  api.ports = {{.name = "http", .number = 8080, .span = {}}};
  api.service = project::ServicePort{.port = 8080};
  project::Service cache{.name = {"cache", {}}, .image = {"redis:7.2", {}}};
  project::Target target{.project = {"shop", {}}, .name_space = "shop"};
  target.services = {api, cache};
  return target;
}

Observation seen() {
  return {.tag = "v1", .commit = "0123456789abcdef"};
}

std::vector<std::string> ids(const Plan& plan) {
  std::vector<std::string> ids;
  for (const auto& step : plan.steps) {
    ids.push_back(step.id);
  }
  return ids;
}

const Step& find_step(const Plan& plan, std::string_view id) {
  return *std::ranges::find(plan.steps, id, &Step::id);
}

TEST(ReleasePlan, BuildsAndPushesOnlyWhatHasASource) {
  const auto plan = release(shop(), seen(), {.services = {}, .build = true, .push = true, .rollout = false});
  ASSERT_TRUE(plan);
  EXPECT_THAT(ids(*plan), ElementsAre("build:api", "push:api"));
  EXPECT_THAT(find_step(*plan, "push:api").after, ElementsAre("build:api"));
}

TEST(ReleasePlan, AttachesDocumentsToWhatItPushes) {
  const auto plan = release(shop(), seen(), {.build = true, .push = true, .sbom = true, .provenance = true});
  ASSERT_TRUE(plan);
  EXPECT_THAT(ids(*plan), ElementsAre("build:api", "push:api", "attach:api"));
  EXPECT_THAT(find_step(*plan, "attach:api").after, ElementsAre("push:api"));
  EXPECT_EQ(title(find_step(*plan, "attach:api")), "attach SBOM and provenance to api");
  EXPECT_TRUE(std::get<BuildImage>(find_step(*plan, "build:api").action).with_provenance);
}

TEST(ReleasePlan, AttachesWhatTheProjectManifestAsksFor) {
  auto target = shop();
  target.services[0].build->sbom = true;
  const auto pushed = release(target, seen(), {.push = true});
  ASSERT_TRUE(pushed);
  EXPECT_EQ(title(find_step(*pushed, "attach:api")), "attach SBOM to api");
  const auto built = release(target, seen(), {.build = true});
  ASSERT_TRUE(built);
  EXPECT_THAT(ids(*built), ElementsAre("build:api"));
}

TEST(ReleasePlan, AppliesNothingBeforeAllImagesArePushed) {
  const auto plan = release(shop(), seen(), whole_release);
  ASSERT_TRUE(plan);
  for (const auto& step : plan->steps) {
    const bool is_image_step = step.id.starts_with("build:") || step.id.starts_with("push:");
    EXPECT_EQ(step.phase, is_image_step ? Phase::images : Phase::cluster) << step.id;
  }
}

TEST(ReleasePlan, WatchesEachWorkloadAfterItIsApplied) {
  const auto plan = release(shop(), seen(), whole_release);
  ASSERT_TRUE(plan);
  for (const std::string service : {"api", "cache"}) {
    const auto& watch = find_step(*plan, "rollout:" + service);
    EXPECT_EQ(watch.service, service);
    EXPECT_THAT(watch.after, ElementsAre("apply:deployment/" + service));
    EXPECT_EQ(title(watch), "watch the rollout of " + service);
  }
}

// web stands before what it depends on, and api before db.
project::Target chain() {
  auto target = shop();
  project::Service web{.name = {"web", {}}, .image = {"nginx:1.24", {}}};
  web.depends_on = {{"api", {}}, {"cache", {}}};
  target.services[0].depends_on = {{"db", {}}};
  project::Service db{.name = {"db", {}}, .image = {"mysql:8.0", {}}};
  target.services.insert(target.services.begin(), web);
  target.services.push_back(db);
  return target;
}

TEST(ReleasePlan, TouchesNothingOfAServiceBeforeWhatItDependsOnIsRolledOut) {
  const auto plan = release(chain(), seen(), {.rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_THAT(find_step(*plan, "apply:deployment/db").after, Not(Contains(StartsWith("rollout:"))));
  EXPECT_THAT(find_step(*plan, "apply:service/api").after, ElementsAre("rollout:db"));
  EXPECT_THAT(find_step(*plan, "apply:deployment/api").after, Contains("rollout:db"));
  EXPECT_EQ(find_step(*plan, "apply:deployment/api").reason, "after db");
  EXPECT_THAT(find_step(*plan, "apply:deployment/web").after, IsSupersetOf({"rollout:api", "rollout:cache"}));
  EXPECT_THAT(find_step(*plan, "apply:deployment/cache").after, Not(Contains(StartsWith("rollout:"))));
}

TEST(ReleasePlan, ListsServicesInTheOrderInWhichTheyMayBegin) {
  const auto plan = release(chain(), seen(), {.rollout = true});
  ASSERT_TRUE(plan);
  auto order = ids(*plan);
  std::erase_if(order, [](const std::string& id) { return !id.starts_with("rollout:"); });
  EXPECT_THAT(order, ElementsAre("rollout:db", "rollout:api", "rollout:cache", "rollout:web"));
}

TEST(ReleasePlan, TakesDependenciesThatAreNotInTheRunAsTheyAre) {
  const auto plan = release(chain(), seen(), {.services = {"web", "db"}, .rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_THAT(find_step(*plan, "apply:deployment/web").after, Not(Contains(StartsWith("rollout:"))));
  EXPECT_EQ(find_step(*plan, "apply:deployment/web").reason, "");
}

TEST(ReleasePlan, WatchesARolloutThatHasBegunAlsoAfterAFailure) {
  const auto plan = release(shop(), seen(), whole_release);
  ASSERT_TRUE(plan);
  EXPECT_EQ(find_step(*plan, "apply:deployment/api").after_failure, AfterFailure::is_left);
  EXPECT_EQ(find_step(*plan, "rollout:api").after_failure, AfterFailure::is_done);
}

project::Target with_tasks() {
  auto target = shop();
  target.services[0].env = {{"LOG_LEVEL", {"info", {}}}};
  target.services[0].tasks = {
      {.name = "seed", .command = {"seed"}, .when = project::Task::When::after_rollout},
      {.name = "check", .command = {"check"}},
      {.name = "migrate", .command = {"migrate"}},
  };
  return target;
}

TEST(ReleasePlan, RunsTasksBetweenTheConfigurationAndEverythingElseOfTheService) {
  auto observation = seen();
  observation.secret_names["api"] = "api-secrets-12345678";
  const auto plan = release(with_tasks(), observation, {.services = {"api"}, .rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_THAT(ids(*plan), ElementsAre("apply:secret/api-secrets-12345678", StartsWith("apply:configmap/api-"),
                                      "task:api/check", "task:api/migrate", "apply:service/api", "apply:deployment/api",
                                      "rollout:api", "task:api/seed"));
  EXPECT_THAT(find_step(*plan, "task:api/check").after,
              ElementsAre("apply:secret/api-secrets-12345678", StartsWith("apply:configmap/api-")));
  EXPECT_THAT(find_step(*plan, "task:api/migrate").after, ElementsAre("task:api/check"));
  EXPECT_THAT(find_step(*plan, "apply:service/api").after, ElementsAre("task:api/migrate"));
  EXPECT_THAT(find_step(*plan, "task:api/seed").after, ElementsAre("rollout:api"));
}

TEST(ReleasePlan, NamesTasksAndWhenTheyRun) {
  const auto plan = release(with_tasks(), seen(), {.rollout = true});
  ASSERT_TRUE(plan);
  const auto& migrate = find_step(*plan, "task:api/migrate");
  EXPECT_EQ(title(migrate), "run migrate of api");
  EXPECT_EQ(migrate.reason, "before the rollout");
  const auto& job = std::get<RunTask>(migrate.action).job;
  EXPECT_EQ(job.body["spec"]["template"]["spec"]["containers"][0]["image"], placeholder_for("api"));
}

TEST(ReleasePlan, RunsWhatOldPodsCannotLiveWithWhenNothingElseIsLeft) {
  auto target = with_tasks();
  target.services[0].tasks[0].compatible = project::Task::Compatible::contract;
  target.services[1].depends_on = {{"api", {}}};
  target.services[1].strategy.type = project::Strategy::Type::blue_green;
  const auto plan = release(target, seen(), {.rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_EQ(ids(*plan).back(), "task:api/seed");
  const auto& seed = find_step(*plan, "task:api/seed");
  EXPECT_TRUE(std::get<RunTask>(seed.action).is_contract);
  EXPECT_FALSE(std::get<RunTask>(find_step(*plan, "task:api/migrate").action).is_contract);
  EXPECT_EQ(seed.reason, "when the old pods are gone; no way back behind it");
  EXPECT_EQ(seed.after_failure, AfterFailure::is_left);
  EXPECT_THAT(seed.after, IsSupersetOf({"rollout:api", "switch:cache", "retire:cache", "apply:service/cache"}));
  EXPECT_THAT(find_step(*plan, "apply:deployment/cache").after, Contains("rollout:api"));
}

TEST(ReleasePlan, CountsTasksAfterTheRolloutAsPartOfIt) {
  auto target = with_tasks();
  target.services[1].depends_on = {{"api", {}}};
  const auto plan = release(target, seen(), {.rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_THAT(find_step(*plan, "apply:deployment/cache").after, Contains("task:api/seed"));
}

project::Target blue_green() {
  auto target = shop();
  target.services[0].strategy.type = project::Strategy::Type::blue_green;
  target.services[0].strategy.blue_green.keep = std::chrono::minutes(3);
  target.services[0].replicas = 2;
  return target;
}

TEST(ReleasePlan, SwitchesABlueGreenServiceWhenItsNewPodsAreJudgedDone) {
  const auto plan = release(blue_green(), seen(), {.services = {"api"}, .rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_THAT(ids(*plan), ElementsAre("apply:deployment/api", "rollout:api", "switch:api", "apply:service/api",
                                      "apply:poddisruptionbudget/api", "retire:api"));
  EXPECT_THAT(find_step(*plan, "apply:service/api").after, ElementsAre("switch:api"));
  EXPECT_THAT(find_step(*plan, "switch:api").after, ElementsAre("rollout:api"));
  EXPECT_THAT(find_step(*plan, "retire:api").after, ElementsAre("switch:api"));
  EXPECT_EQ(std::get<RetireSide>(find_step(*plan, "retire:api").action).keep, std::chrono::minutes(3));
  EXPECT_FALSE(std::get<SwitchTraffic>(find_step(*plan, "switch:api").action).goes_home);
}

TEST(ReleasePlan, SwitchesAServiceThatIsBlueGreenNoLongerHome) {
  auto observation = seen();
  observation.live_sides["api"] = generate::Side::green;
  const auto plan = release(shop(), observation, {.services = {"api"}, .rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_TRUE(std::get<SwitchTraffic>(find_step(*plan, "switch:api").action).goes_home);
}

TEST(ReleasePlan, MakesTheNamespaceFirstWhenItIsMissing) {
  auto observation = seen();
  observation.namespace_exists = false;
  const auto plan = release(shop(), observation, {.services = {}, .build = false, .push = false, .rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->steps.front().id, "apply:namespace/shop");
  EXPECT_THAT(find_step(*plan, "apply:deployment/api").after, Contains("apply:namespace/shop"));
}

TEST(ReleasePlan, LeavesANamespaceThatIsThereAlone) {
  const auto plan = release(shop(), seen(), whole_release);
  ASSERT_TRUE(plan);
  EXPECT_THAT(ids(*plan), Not(Contains("apply:namespace/shop")));
}

TEST(ReleasePlan, AppliesAServicesSecretBeforeItsWorkload) {
  auto observation = seen();
  observation.secret_names["api"] = "api-secrets-12345678";
  const auto plan = release(shop(), observation, whole_release);
  ASSERT_TRUE(plan);
  EXPECT_THAT(find_step(*plan, "apply:deployment/api").after, Contains("apply:secret/api-secrets-12345678"));
}

TEST(ReleasePlan, NamesImagesThatDoNotExistYetByService) {
  const auto target = shop();
  const auto objects = desired_objects(target, target.services.front(), seen());
  ASSERT_TRUE(objects);
  const auto deployment =
      std::ranges::find_if(*objects, [](const auto& object) { return object.kind() == "Deployment"; });
  ASSERT_NE(deployment, objects->end());
  EXPECT_EQ(deployment->body["spec"]["template"]["spec"]["containers"][0]["image"], placeholder_for("api"));
  EXPECT_EQ(deployment->body["metadata"]["annotations"]["deployctl.dev/commit"], "0123456789abcdef");
}

TEST(ReleasePlan, TakesOnlyTheServicesThatWereNamed) {
  const auto plan = release(shop(), seen(), {.services = {"cache"}, .build = true, .push = true, .rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_THAT(ids(*plan), ElementsAre("apply:service/cache", "apply:deployment/cache", "rollout:cache"));
}

TEST(ReleasePlan, DeletesOfTheNamedServicesOnly) {
  auto before = seen();
  before.left_alone.emplace();
  before.releases = {{.number = 1,
                      .state = kube::ReleaseState::deployed,
                      .inventory = std::vector<kube::ObjectKey>{{"v1", "Service", "shop", "old"}}}};
  const auto plan = release(shop(), before, {.services = {"cache"}, .rollout = true});
  ASSERT_TRUE(plan);
  EXPECT_THAT(std::get<PruneObject>(find_step(*plan, "prune:service/old").action).services, ElementsAre("cache"));
}

// A release beyond those that are kept takes the configuration of the oldest with it; a plan that changes nothing is
// none.
TEST(ReleasePlan, DeletesNothingWhereNothingChanges) {
  auto before = seen();
  for (const auto& object : {"Service", "Deployment"}) {
    const bool is_workload = std::string_view(object) == "Deployment";
    before.expected[{is_workload ? "apps/v1" : "v1", object, "shop", "cache"}].change = Change::none;
  }
  for (long long number = 10; number > 0; --number) {
    before.releases.push_back(
        {.number = number,
         .state = number == 10 ? kube::ReleaseState::deployed : kube::ReleaseState::superseded,
         .inventory = std::vector<kube::ObjectKey>{{"v1", "ConfigMap", "shop", "config-" + std::to_string(number)}}});
  }
  before.left_alone.emplace();
  const Wish of_cache{.services = {"cache"}, .rollout = true};
  const auto unchanged = release(shop(), before, of_cache);
  ASSERT_TRUE(unchanged);
  EXPECT_THAT(ids(*unchanged), Not(Contains(StartsWith("prune:"))));
  before.expected[{"apps/v1", "Deployment", "shop", "cache"}].change = Change::update;
  const auto changed = release(shop(), before, of_cache);
  ASSERT_TRUE(changed);
  EXPECT_THAT(ids(*changed), Contains("prune:configmap/config-1"));
}

TEST(ReleasePlan, SuggestsTheServiceThatWasMeant) {
  const auto plan = release(shop(), seen(), {.services = {"apii"}, .build = true, .push = false, .rollout = false});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, base::ErrorCode::usage);
  EXPECT_EQ(plan.error().message, "the project manifest has no service 'apii'");
  EXPECT_EQ(plan.error().hint, "did you mean 'api'?");
}

TEST(HeldReplicas, AreLeftToTheAutoscalerOnceTheyAreItsAlone) {
  const auto deployment = [](const std::string& manager) {
    return kube::Object{*json::parse(R"({"metadata":{"managedFields":[{"manager":")" + manager +
                                         R"(","operation":"Apply","fieldsV1":{"f:spec":{"f:replicas":{}}}}]},)" +
                                         R"("spec":{"replicas":4}})",
                                     "a Deployment")};
  };
  EXPECT_EQ(held_replicas(deployment("kube-controller-manager")), std::nullopt);
  EXPECT_EQ(held_replicas(deployment("deployctl")), 4) << "leaving it out would reset it to 1";

  const auto replicas_with = [](std::optional<long long> held) {
    auto observation = seen();
    observation.held_replicas["cache"] = held;
    const auto target = shop();
    const auto objects = desired_objects(target, target.services[1], observation);
    EXPECT_TRUE(objects);
    const auto found = std::ranges::find(*objects, "Deployment", &kube::Object::kind);
    return found->body["spec"].contains("replicas") ? found->body["spec"]["replicas"].get<int>() : 0;
  };
  EXPECT_EQ(replicas_with(std::nullopt), 0);
  EXPECT_EQ(replicas_with(4), 4);
}

}  // namespace
}  // namespace deployctl::plan
