// What keeps a rollout from beginning, row by row: the facts are as the API server and registries give them.
#include "core/plan/preflight.hpp"

#include "core/plan/release.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace deployctl::plan {
namespace {

using base::ErrorCode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const kube::ObjectKey deployment_key{"apps/v1", "Deployment", "shop", "api"};

project::Target shop() {
  project::Service api{.name = {"api", {}}, .image = {"r.example/shop/api:1", {}}};
  api.ports = {{.name = "http", .number = 8080, .span = {}}};
  api.service = project::ServicePort{.port = 8080};
  api.volumes = {{.name = "data", .mount = "/data", .size = {}, .storage_class = {}, .span = {}}};
  project::Target target{.project = {"shop", {}}, .name_space = "shop"};
  target.services = {api};
  return target;
}

Plan plan_of(const project::Target& target) {
  auto plan = release(target, {.tag = "v1"}, {.rollout = true});
  EXPECT_TRUE(plan);
  return plan ? *plan : Plan();
}

kube::Object object(const std::string& text) {
  auto value = json::parse(text, "an object");
  EXPECT_TRUE(value) << text;
  return {value ? *value : json::Value()};
}

kube::Object node(const std::string& architecture) {
  return object(R"({"metadata":{"labels":{}},"status":{"allocatable":{"cpu":"2","memory":"4Gi"},"nodeInfo":{)"
                R"("operatingSystem":"linux","architecture":")" +
                architecture + "\"}}}");
}

std::vector<std::string> lines(const PreflightReport& report) {
  std::vector<std::string> lines;
  for (const auto& finding : report.findings) {
    lines.push_back(std::string(to_string(finding.code)) + ": " + finding.what);
  }
  return lines;
}

PreflightReport check(const PreflightFacts& facts, const project::Target& target = shop()) {
  return preflight(plan_of(target), target, facts);
}

TEST(Preflight, FindsNothingWhereNothingIsKnown) {
  const auto report = check({});
  EXPECT_THAT(lines(report), IsEmpty());
  EXPECT_THAT(report.remarks, IsEmpty());
}

TEST(Preflight, NamesEveryMissingPermissionAndARoleThatWouldDo) {
  PreflightFacts facts{.user = "user ci"};
  facts.missing_permissions = {{kube::permission("patch", kube::resource_of("Deployment")), "to apply deployment/api"},
                               {kube::permission("watch", kube::resource_of("Pod")), "to watch the rollout"}};
  const auto report = check(facts);
  EXPECT_THAT(lines(report),
              ElementsAre("unauthorized: user ci may not patch deployments.apps in namespace shop, which it "
                          "takes to apply deployment/api",
                          "unauthorized: user ci may not watch pods in namespace shop, which it takes to "
                          "watch the rollout"));
  const auto error = to_error(report.findings);
  EXPECT_EQ(base::exit_code(error.code), 8);
  EXPECT_THAT(error.hint, AllOf(HasSubstr("kind: Role\n"), HasSubstr("name: shop-deployer"),
                                HasSubstr("verbs:\n  - patch"), HasSubstr("verbs:\n  - watch")));
}

TEST(Preflight, TellsOfADeploymentThatIsPausedBeforeItTakesTheChange) {
  PreflightFacts facts;
  facts.deployments["api"] = object(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api"},)"
                                    R"("spec":{"paused":true}})");
  const auto report = check(facts);
  EXPECT_THAT(lines(report), ElementsAre("rollout_failed: deployment/api is paused, and would not take up the change"));
  EXPECT_EQ(report.findings[0].advice, "resume it: kubectl rollout resume deployment/api -n shop");
  facts.deployments["api"].body["spec"]["paused"] = false;
  EXPECT_THAT(lines(check(facts)), IsEmpty());
}

TEST(Preflight, KnowsTheStorageClassesAClaimMayAskFor) {
  Plan plan{.name_space = "shop"};
  const auto claim = object(R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"api-data"},)"
                            R"("spec":{"storageClassName":"standart"}})");
  plan.steps.push_back({.id = "apply:persistentvolumeclaim/api-data", .service = "api", .action = ApplyObject{claim}});
  const auto check = [&](std::vector<std::string> classes, Change change = Change::create) {
    PreflightFacts facts;
    facts.storage_classes = std::move(classes);
    facts.changes[claim.key()] = change;
    return preflight(plan, shop(), facts);
  };
  const auto report = check({"fast", "standard"});
  EXPECT_THAT(lines(report), ElementsAre("rollout_failed: persistentvolumeclaim/api-data asks for the storage class "
                                         "standart, which the cluster has not, nor a volume of it"));
  EXPECT_EQ(report.findings[0].advice, "did you mean 'standard'?");
  EXPECT_EQ(check({"fast"}).findings[0].advice, "it has: fast");
  EXPECT_THAT(check({}).findings[0].advice, HasSubstr("it has none"));
  EXPECT_THAT(lines(check({"standart"})), IsEmpty());
  EXPECT_THAT(lines(check({"fast"}, Change::none)), IsEmpty()) << "it is there already";
  EXPECT_THAT(lines(preflight(plan, shop(), {})), IsEmpty()) << "the classes may not be listed";
}

TEST(Preflight, SaysARefusalForAPermissionOnce) {
  PreflightFacts facts;
  facts.missing_permissions = {{kube::permission("patch", kube::resource_of("Deployment")), "to apply deployment/api"}};
  facts.refusals.emplace(deployment_key, base::Error::unauthorized("user ci may not patch deployments"));
  EXPECT_EQ(check(facts).findings.size(), 1U);
}

TEST(Preflight, TellsWhatToDoAboutAFieldThatIsFixed) {
  PreflightFacts facts;
  facts.refusals.emplace(
      deployment_key, base::Error::invalid_input("the cluster refuses deployment/api in namespace shop: spec.selector: "
                                                 "Invalid value: field is immutable"));
  const auto report = check(facts);
  ASSERT_THAT(lines(report),
              ElementsAre("invalid_input: deployment/api: the cluster refuses deployment/api in namespace "
                          "shop: spec.selector: Invalid value: field is immutable"));
  EXPECT_THAT(report.findings[0].advice, HasSubstr("kubectl delete deployment/api"));
}

TEST(Preflight, LooksAtImagesAsTheNodesWill) {
  using Answer = ImageAccess::Answer;
  const auto facts_with = [](Answer answer, bool has_credentials) {
    PreflightFacts facts;
    facts.images["api"] = {
        .answer = answer, .words = "r.example says so", .shown = "", .has_credentials = has_credentials};
    return facts;
  };
  EXPECT_THAT(lines(check(facts_with(Answer::missing, false))),
              ElementsAre("rollout_failed: the image of api: r.example says so"));
  EXPECT_THAT(lines(check(facts_with(Answer::denied, true))),
              ElementsAre("rollout_failed: the image of api: r.example says so"));
  const auto anonymous = check(facts_with(Answer::denied, false));
  EXPECT_THAT(lines(anonymous), IsEmpty()) << "nodes may have credentials of their own";
  EXPECT_THAT(anonymous.remarks, ElementsAre(HasSubstr("has no pull secret for it")));
  EXPECT_THAT(lines(check(facts_with(Answer::unreachable, true))), IsEmpty());
  EXPECT_THAT(lines(check(facts_with(Answer::exists, true))), IsEmpty());
}

TEST(Preflight, ComparesTheImagesPlatformsWithTheNodes) {
  const auto report = [](const std::vector<std::string>& image, const std::vector<std::string>& nodes) {
    PreflightFacts facts;
    facts.images["api"] = {};
    for (const auto& architecture : image) {
      facts.images["api"].platforms.push_back({.os = "linux", .architecture = architecture, .variant = ""});
    }
    facts.nodes.emplace();
    for (const auto& architecture : nodes) {
      facts.nodes->push_back(node(architecture));
    }
    return check(facts);
  };
  EXPECT_THAT(lines(report({"arm64"}, {"amd64", "amd64"})),
              ElementsAre("rollout_failed: the image of api is for linux/arm64, and the nodes are linux/amd64"));
  EXPECT_THAT(report({"amd64"}, {"amd64", "arm64"}).remarks, ElementsAre(HasSubstr("nodes that are linux/arm64")));
  EXPECT_THAT(lines(report({"amd64", "arm64"}, {"amd64", "arm64"})), IsEmpty());
  EXPECT_THAT(lines(report({}, {"amd64"})), IsEmpty());
}

TEST(Preflight, LooksForRoomOnlyForWhatChanges) {
  PreflightFacts facts;
  facts.quotas = {
      object(R"({"metadata":{"name":"none"},"spec":{"hard":{"pods":"0"}},"status":{"used":{"pods":"0"}}})")};
  EXPECT_THAT(lines(check(facts)),
              ElementsAre("rollout_failed: quota none allows 0 of pods, 0 are used, and the rollout "
                          "needs 1 more at its peak"));
  facts.changes[deployment_key] = Change::none;
  EXPECT_THAT(lines(check(facts)), IsEmpty());
}

PreflightFacts with_pod_quota(int hard, int used) {
  PreflightFacts facts;
  facts.quotas = {object(fmt::format(
      R"({{"metadata":{{"name":"small"}},"spec":{{"hard":{{"pods":"{}"}}}},"status":{{"used":{{"pods":"{}"}}}}}})",
      hard, used))};
  return facts;
}

project::Target with_task(project::Task::When when) {
  auto target = shop();
  target.services[0].tasks = {{.name = "migrate", .command = {"migrate"}, .when = when, .service_account = {}}};
  return target;
}

TEST(Preflight, CountsThePodOfATaskBesideWhatIsThere) {
  const auto target = with_task(project::Task::When::before_rollout);
  auto facts = with_pod_quota(3, 3);
  facts.changes[deployment_key] = Change::none;
  const auto* const lacks =
      "run migrate of api: quota small allows 3 of pods, 3 are used, and the rollout needs 1 more at its peak";
  EXPECT_THAT(tasks_without_room(plan_of(target), facts), testing::SizeIs(1));
  EXPECT_THAT(lines(check(facts, target)), ElementsAre(std::string("rollout_failed: ") + lacks));
  facts.tasks["task:api/migrate"] = TaskState::unknown;
  EXPECT_THAT(lines(check(facts, target)), IsEmpty());
  EXPECT_THAT(check(facts, target).remarks, ElementsAre(lacks));
  facts.tasks["task:api/migrate"] = TaskState::done;
  EXPECT_THAT(lines(check(facts, target)), IsEmpty());
  EXPECT_THAT(check(facts, target).remarks, IsEmpty());
}

TEST(Preflight, CountsThePodOfATaskBesideThoseThatAreRolledOutBeforeIt) {
  const auto facts = with_pod_quota(2, 1);
  EXPECT_THAT(lines(check(facts, with_task(project::Task::When::before_rollout))), IsEmpty());
  EXPECT_THAT(lines(check(facts, with_task(project::Task::When::after_rollout))),
              ElementsAre(HasSubstr("run migrate of api: quota small allows 2 of pods, 1 are used")));
}

TEST(Preflight, HoldsTasksAgainstLimitsAndNodes) {
  auto target = with_task(project::Task::When::before_rollout);
  target.services[0].resources.memory_request = *base::Quantity::parse("16Gi");
  PreflightFacts facts;
  facts.changes[deployment_key] = Change::none;
  facts.nodes = {node("amd64")};
  EXPECT_THAT(
      lines(check(facts, target)),
      ElementsAre("rollout_failed: run migrate of api: no node has room for its pod, even when empty: the largest "
                  "has cpu 2, memory 4.0 GiB"));
  facts.limit_ranges = {
      object(R"({"metadata":{"name":"limits"},"spec":{"limits":[{"type":"Container","min":{"memory":"32Gi"}}]}})")};
  EXPECT_THAT(lines(check(facts, target)),
              ElementsAre(HasSubstr("run migrate of api: container migrate asks for memory 16.0 GiB")));
}

TEST(Preflight, CountsAWholeSideOrACanaryBesideTheStablePods) {
  auto facts = with_pod_quota(4, 3);
  const auto green = object(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api-green"}})");
  facts.beside["api"] = {.deployment = green, .most = 3, .there = 0, .is_side = true};
  EXPECT_THAT(lines(check(facts)), ElementsAre("rollout_failed: quota small allows 4 of pods, 3 are used, and the "
                                               "rollout needs 3 more at its peak"));
  facts.beside["api"].there = 3;
  EXPECT_THAT(lines(check(facts)), IsEmpty()) << "the side is kept";
  facts.beside["api"] = {.deployment = green, .most = 1, .there = 0, .is_side = false};
  EXPECT_THAT(lines(check(facts)), ElementsAre(HasSubstr("needs 2 more"))) << "the stable pods come too";
}

TEST(Preflight, HoldsContainersAgainstTheLimitsOfTheNamespace) {
  auto target = shop();
  target.services[0].resources.memory_request = *base::Quantity::parse("16Mi");
  PreflightFacts facts;
  facts.limit_ranges = {
      object(R"({"metadata":{"name":"limits"},"spec":{"limits":[{"type":"Container","min":{"memory":"64Mi"}}]}})")};
  EXPECT_THAT(
      lines(check(facts, target)),
      ElementsAre("rollout_failed: deployment/api: container api asks for memory 16.0 MiB, and the LimitRange limits "
                  "demands at least 64.0 MiB"));
}

TEST(Preflight, SeesThatAPodFitsNowhere) {
  auto target = shop();
  target.services[0].resources.cpu_request = *base::Quantity::parse("64");
  PreflightFacts facts;
  facts.nodes = {node("amd64")};
  EXPECT_THAT(
      lines(check(facts, target)),
      ElementsAre("rollout_failed: no node has room for one pod of deployment/api, even when empty: the largest has "
                  "cpu 2, memory 4.0 GiB"));
}

TEST(Preflight, WarnsOfAVolumeThatOldAndNewPodWaitFor) {
  auto target = shop();
  PreflightFacts facts;
  facts.nodes = {node("amd64"), node("amd64")};
  facts.deployments.emplace("api", object(R"({"metadata":{"name":"api"},"spec":{"replicas":1}})"));
  EXPECT_THAT(check(facts, target).remarks, ElementsAre(HasSubstr("volume 'data' of api is ReadWriteOnce")));
  target.services[0].strategy.type = project::Strategy::Type::recreate;
  EXPECT_THAT(check(facts, target).remarks, IsEmpty());
  target = shop();
  facts.nodes = {node("amd64")};
  EXPECT_THAT(check(facts, target).remarks, IsEmpty()) << "one node has both pods";
}

TEST(Preflight, MissesWhatPodsWouldWaitFor) {
  auto target = shop();
  target.pull_secret = "regcred";
  target.services[0].ingress =
      project::Ingress{.host = "shop.example", .class_name = {}, .tls_secret = "tls", .span = {}};
  EXPECT_THAT(named_elsewhere(plan_of(target)),
              UnorderedElementsAre(std::pair<std::string, std::string>{"Secret", "regcred"},
                                   std::pair<std::string, std::string>{"Secret", "tls"}));
  PreflightFacts facts;
  facts.named_objects[{"Secret", "tls"}] = std::nullopt;
  const auto report = check(facts, target);
  EXPECT_THAT(lines(report), IsEmpty());
  EXPECT_THAT(report.remarks,
              ElementsAre(HasSubstr("ingress/api names the Secret tls, which is not in namespace shop")));
}

TEST(Preflight, MissesKeysOfWhatIsThere) {
  auto target = shop();
  target.services[0].secrets = {{.variable = "TOKEN", .source = {}, .span = {}}};
  target.services[0].ingress =
      project::Ingress{.host = "shop.example", .class_name = {}, .tls_secret = "tls", .span = {}};
  PreflightFacts facts;
  facts.named_objects[{"Secret", "tls"}] = std::set<std::string>{"tls.crt"};
  facts.named_objects[{"Secret", "api-secrets"}] = std::set<std::string>{"OTHER"};
  const auto report = check(facts, target);
  EXPECT_THAT(lines(report),
              ElementsAre(HasSubstr("invalid_input: deployment/api takes the key 'TOKEN' from the Secret "
                                    "api-secrets, which has no such key (spec.template.spec.")));
  EXPECT_THAT(report.remarks, ElementsAre(HasSubstr("ingress/api takes the key 'tls.key' from the Secret tls")));
  EXPECT_EQ(report.findings[0].advice, "add the key to the Secret; it has: OTHER");
}

TEST(Preflight, SeesThatOtherPodsLeaveNoRoom) {
  auto target = shop();
  target.services[0].resources.cpu_request = *base::Quantity::parse("1500m");
  PreflightFacts facts;
  facts.nodes = {object(R"({"metadata":{"name":"a"},"status":{"allocatable":{"cpu":"2","memory":"4Gi","pods":"9"}}})")};
  facts.pods = {object(R"({"spec":{"nodeName":"a","containers":[{"resources":{"requests":{"cpu":"600m"}}}]}})")};
  EXPECT_THAT(lines(check(facts, target)),
              ElementsAre(HasSubstr("rollout_failed: no node has room for one more pod of deployment/api (cpu 1500m")));
  facts.pods = {object(R"({"spec":{"nodeName":"a","containers":[{"resources":{"requests":{"cpu":"400m"}}}]}})")};
  EXPECT_THAT(lines(check(facts, target)), IsEmpty());
}

TEST(Preflight, SeesAServiceThatLeadsNowhere) {
  const auto target = shop();
  auto plan = plan_of(target);
  const auto service = std::ranges::find(plan.steps, "apply:service/api", &Step::id);
  ASSERT_NE(service, plan.steps.end());
  auto& body = std::get<ApplyObject>(service->action).object.body;
  body["spec"]["ports"][0]["targetPort"] = "grpc";
  EXPECT_THAT(lines(preflight(plan, target, {})),
              ElementsAre("invalid_input: service/api leads to the port 'grpc', which deployment/api does not have"));
  body["spec"]["selector"]["app.kubernetes.io/name"] = "other";
  EXPECT_THAT(lines(preflight(plan, target, {})),
              ElementsAre("invalid_input: service/api selects no pods of this project"));
}

TEST(PreflightErrors, AreOfTheGravestClassAndNameAll) {
  struct Row {
    std::vector<ErrorCode> codes;
    int exit_code;
  };
  const std::vector<Row> rows{
      {{ErrorCode::rollout_failed, ErrorCode::refused, ErrorCode::unauthorized}, 7},
      {{ErrorCode::rollout_failed, ErrorCode::invalid_input, ErrorCode::unauthorized}, 8},
      {{ErrorCode::rollout_failed, ErrorCode::invalid_input}, 3},
      {{ErrorCode::rollout_failed}, 5},
      {{ErrorCode::conflict}, 1},
  };
  for (const auto& row : rows) {
    std::vector<PreflightFinding> findings;
    for (const auto code : row.codes) {
      findings.push_back({code, "because", "do this"});
    }
    EXPECT_EQ(base::exit_code(to_error(findings).code), row.exit_code);
  }
  const auto error = to_error({{ErrorCode::rollout_failed, "one", "a"}, {ErrorCode::rollout_failed, "two", "b"}});
  EXPECT_EQ(error.message, "2 things stand against it, and nothing was changed:\none\ntwo");
  EXPECT_EQ(error.hint, "a\nb");
}

TEST(IngressClass, IsTheOneNamedOrTheDefault) {
  const auto class_named = [](const std::string& name, bool is_default) {
    kube::Object object{{{"kind", "IngressClass"}, {"metadata", {{"name", name}}}}};
    if (is_default) {
      object.body["metadata"]["annotations"]["ingressclass.kubernetes.io/is-default-class"] = "true";
    }
    return object;
  };
  const kube::Object named{{{"kind", "Ingress"}, {"spec", {{"ingressClassName", "nginx"}}}}};
  const kube::Object nameless{{{"kind", "Ingress"}, {"spec", json::Value::object()}}};
  EXPECT_TRUE(is_class_of(class_named("nginx", false), named));
  EXPECT_FALSE(is_class_of(class_named("traefik", true), named));
  EXPECT_TRUE(is_class_of(class_named("traefik", true), nameless));
  EXPECT_FALSE(is_class_of(class_named("nginx", false), nameless));
  EXPECT_TRUE(is_ingress_nginx("k8s.io/internal-ingress-nginx"));
  EXPECT_FALSE(is_ingress_nginx("nginx.org/ingress-controller"));
}

TEST(NeededPermissions, AreReadFromThePlan) {
  const auto target = shop();
  std::vector<std::string> needed;
  for (const auto& [permission, purpose] : needed_permissions(plan_of(target))) {
    needed.push_back(kube::to_string(permission));
  }
  EXPECT_THAT(needed,
              ElementsAre("get leases.coordination.k8s.io", "create leases.coordination.k8s.io",
                          "update leases.coordination.k8s.io", "get secrets", "list secrets", "create secrets",
                          "patch secrets", "delete secrets", "get persistentvolumeclaims",
                          "create persistentvolumeclaims", "patch persistentvolumeclaims", "get services",
                          "create services", "patch services", "get deployments.apps", "create deployments.apps",
                          "patch deployments.apps", "list deployments.apps", "watch deployments.apps",
                          "list replicasets.apps", "watch replicasets.apps", "list pods", "watch pods"));
}

}  // namespace
}  // namespace deployctl::plan
