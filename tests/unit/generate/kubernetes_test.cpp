#include "core/generate/kubernetes.hpp"

#include "core/generate/dockerfile.hpp"
#include "tests/unit/generate/sample.hpp"

#include <gmock/gmock.h>

namespace deployctl::generate {
namespace {

using json::Value;
using testing::ElementsAre;
using tests::at;

std::vector<kube::Object> objects_of(const project::Service& service, const KubernetesOptions& options = {},
                                     const Inputs& inputs = {}) {
  const auto objects = kubernetes_objects(tests::mini(), service, inputs, options);
  EXPECT_TRUE(objects) << base::to_string(objects.error());
  return *objects;
}

std::vector<std::string> kinds_of(const std::vector<kube::Object>& objects) {
  std::vector<std::string> kinds;
  for (const auto& object : objects) {
    kinds.push_back(object.body["kind"].get<std::string>());
  }
  return kinds;
}

Value find(const std::vector<kube::Object>& objects, std::string_view kind) {
  for (const auto& object : objects) {
    if (object.body["kind"] == kind) {
      return object.body;
    }
  }
  return nullptr;
}

Value container_of(const project::Service& service, const KubernetesOptions& options = {}, const Inputs& inputs = {}) {
  return find(objects_of(service, options, inputs), "Deployment")["spec"]["template"]["spec"]["containers"][0];
}

Value pod_of(const project::Service& service, const KubernetesOptions& options = {}) {
  return find(objects_of(service, options), "Deployment")["spec"]["template"]["spec"];
}

TEST(KubernetesObjects, ComeInTheOrderTheyAreApplied) {
  const auto target = tests::shop();
  const auto inputs = tests::shop_inputs();
  EXPECT_THAT(kinds_of(*kubernetes_objects(target, target.services[0], inputs)),
              ElementsAre("ConfigMap", "ConfigMap", "PersistentVolumeClaim", "Service", "Deployment",
                          "HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress"));
  EXPECT_THAT(kinds_of(objects_of(tests::go_service("api"))), ElementsAre("Service", "Deployment"));
}

TEST(KubernetesObjects, TheSelectorIsStableAndThePodsHaveIt) {
  auto target = tests::shop();
  const auto deployment_of = [](const project::Target& of, const std::string& tag) {
    KubernetesOptions options;
    options.tag = tag;
    return find(*kubernetes_objects(of, of.services[1], {}, options), "Deployment");
  };
  const auto before = deployment_of(target, "v1");
  target.environment = "dev";
  const auto after = deployment_of(target, "v2");
  const Value selector = {{"app.kubernetes.io/name", "worker"}, {"app.kubernetes.io/instance", "shop"}};
  EXPECT_EQ(before["spec"]["selector"]["matchLabels"], selector);
  EXPECT_EQ(after["spec"]["selector"], before["spec"]["selector"]);
  for (const auto& [name, value] : selector.items()) {
    EXPECT_EQ(before["spec"]["template"]["metadata"]["labels"][name], value);
  }
  EXPECT_EQ(before["metadata"]["labels"]["app.kubernetes.io/version"], "v1");
  EXPECT_FALSE(before["spec"]["template"]["metadata"]["labels"].contains("app.kubernetes.io/version"))
      << "a tag alone must not replace pods";
  EXPECT_FALSE(deployment_of(target, "latest")["metadata"]["labels"].contains("app.kubernetes.io/version"));
}

TEST(KubernetesObjects, APodOfOursRunsConfined) {
  const auto pod = pod_of(tests::go_service("api"));
  EXPECT_EQ(pod["automountServiceAccountToken"], false);
  EXPECT_EQ(pod["securityContext"], (Value{{"runAsNonRoot", true},
                                           {"runAsUser", 65532},
                                           {"runAsGroup", 65532},
                                           {"seccompProfile", {{"type", "RuntimeDefault"}}}}));
  const auto& container = pod["containers"][0];
  EXPECT_EQ(container["securityContext"], (Value{{"allowPrivilegeEscalation", false},
                                                 {"readOnlyRootFilesystem", true},
                                                 {"capabilities", {{"drop", Value::array({"ALL"})}}}}));
  EXPECT_EQ(container["volumeMounts"], Value::array({{{"name", "tmp-dir"}, {"mountPath", "/tmp"}}}));
}

TEST(KubernetesObjects, AnImageOfOthersMayStartAsRoot) {
  const auto pod = pod_of(tests::image_service("mysql", "mysql:8.0"));
  EXPECT_EQ(pod["securityContext"], (Value{{"seccompProfile", {{"type", "RuntimeDefault"}}}}));
  EXPECT_EQ(pod["containers"][0]["securityContext"], (Value{{"allowPrivilegeEscalation", false}}));
  EXPECT_FALSE(pod.contains("volumes"));
}

TEST(KubernetesObjects, AStoppingPodDrainsBeforeItIsTold) {
  const auto drain = [](const project::Service& service, const KubernetesOptions& options) {
    return pod_of(service, options);
  };
  const auto ours = drain(tests::go_service("api"), {});
  EXPECT_EQ(ours["containers"][0]["lifecycle"]["preStop"]["exec"]["command"],
            Value::array({"/usr/local/bin/drain-sleep", "5"}));
  EXPECT_EQ(ours["terminationGracePeriodSeconds"], 45);

  auto theirs = tests::go_service("api");
  theirs.build->dockerfile = at(std::string("Dockerfile"));
  EXPECT_FALSE(drain(theirs, {})["containers"][0].contains("lifecycle")) << "nothing in that image is known to wait";
  KubernetesOptions newer;
  newer.api.has_sleep_action = true;
  EXPECT_EQ(drain(theirs, newer)["containers"][0]["lifecycle"], (Value{{"preStop", {{"sleep", {{"seconds", 5}}}}}}));
}

TEST(KubernetesObjects, ProbesAreTrioWithDefaults) {
  auto service = tests::go_service("api");
  service.health.liveness->initial_delay = std::chrono::milliseconds(1500);
  const auto container = container_of(service);
  EXPECT_EQ(container["livenessProbe"], (Value{{"httpGet", {{"path", "/health"}, {"port", "http"}}},
                                               {"initialDelaySeconds", 2},
                                               {"periodSeconds", 10},
                                               {"timeoutSeconds", 2},
                                               {"failureThreshold", 3}}));
  EXPECT_EQ(container["startupProbe"]["periodSeconds"], 2);
  EXPECT_EQ(container["startupProbe"]["failureThreshold"], 60);
  EXPECT_FALSE(container["startupProbe"].contains("initialDelaySeconds"));

  service.health = {};
  EXPECT_EQ(container_of(service)["readinessProbe"]["tcpSocket"], (Value{{"port", "http"}}))
      << "a service that serves is never ready unasked";
  EXPECT_FALSE(container_of(service).contains("livenessProbe"));

  service.health.readiness = project::Probe{};
  service.health.readiness->command = {"/app", "--healthcheck"};
  EXPECT_EQ(container_of(service)["readinessProbe"]["exec"]["command"], Value::array({"/app", "--healthcheck"}));
}

TEST(KubernetesObjects, KnownImagesHaveTheirPort) {
  const auto objects = objects_of(tests::image_service("db", "registry.example.com/library/postgres:15@sha256:0"));
  EXPECT_EQ(find(objects, "Service")["spec"]["ports"][0]["port"], 5432);
  EXPECT_EQ(find(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["tcpSocket"],
            (Value{{"port", "postgres"}}));
}

TEST(KubernetesObjects, AnAutoscalerOwnsTheReplicas) {
  auto service = tests::go_service("api");
  EXPECT_EQ(find(objects_of(service), "Deployment")["spec"]["replicas"], 1);
  service.scale = project::Scale{.min = 1, .max = 4, .cpu = 60};
  KubernetesOptions options;
  options.api.autoscaling = "autoscaling/v2beta2";
  const auto objects = objects_of(service, options);
  EXPECT_FALSE(find(objects, "Deployment")["spec"].contains("replicas"));
  const auto scaler = find(objects, "HorizontalPodAutoscaler");
  EXPECT_EQ(scaler["apiVersion"], "autoscaling/v2beta2");
  EXPECT_EQ(scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 60);
  EXPECT_TRUE(find(objects, "PodDisruptionBudget").is_null()) << "one pod cannot be kept from being moved";
}

TEST(KubernetesObjects, SeveralReplicasHaveABudgetAndSpread) {
  auto service = tests::go_service("api");
  service.replicas = 3;
  KubernetesOptions options;
  options.api.policy = "policy/v1beta1";
  const auto objects = objects_of(service, options);
  EXPECT_EQ(find(objects, "PodDisruptionBudget")["apiVersion"], "policy/v1beta1");
  EXPECT_EQ(find(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"], 1);
  EXPECT_EQ(pod_of(service)["topologySpreadConstraints"][0]["whenUnsatisfiable"], "ScheduleAnyway");
}

TEST(KubernetesObjects, StrategiesAreNumbersOrPercentages) {
  auto service = tests::go_service("api");
  const auto strategy = [&] { return find(objects_of(service), "Deployment")["spec"]["strategy"]; };
  EXPECT_EQ(strategy(),
            (Value{{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxSurge", 1}, {"maxUnavailable", 0}}}}));
  service.strategy.max_surge = "25%";
  EXPECT_EQ(strategy()["rollingUpdate"]["maxSurge"], "25%");
  service.strategy.type = project::Strategy::Type::recreate;
  EXPECT_EQ(strategy(), (Value{{"type", "Recreate"}}));
  service.strategy.deadline = std::chrono::milliseconds(90'500);
  EXPECT_EQ(find(objects_of(service), "Deployment")["spec"]["progressDeadlineSeconds"], 91);
}

TEST(KubernetesObjects, ServicesOfAllTypes) {
  auto service = tests::go_service("api");
  const auto spec = [&] { return find(objects_of(service), "Service")["spec"]; };
  EXPECT_EQ(spec()["type"], "ClusterIP");
  service.service->type = project::ServicePort::Type::node_port;
  service.service->port = 80;
  service.service->node_port = 30080;
  EXPECT_EQ(spec()["ports"],
            Value::array(
                {{{"name", "http"}, {"port", 80}, {"targetPort", "http"}, {"protocol", "TCP"}, {"nodePort", 30080}}}));
  service.service->type = project::ServicePort::Type::load_balancer;
  EXPECT_EQ(spec()["type"], "LoadBalancer");
  service.service->type = project::ServicePort::Type::external_name;
  service.service->external_name = "db.example.com";
  EXPECT_THAT(kinds_of(objects_of(service)), ElementsAre("Service"));
  EXPECT_EQ(spec(), (Value{{"type", "ExternalName"}, {"externalName", "db.example.com"}}));
}

TEST(KubernetesObjects, ConfigMapsAreNamedAfterTheirContent) {
  auto service = tests::go_service("api");
  service.env = {{"A", at(std::string("1"))}};
  const auto name_of = [&] { return find(objects_of(service), "ConfigMap")["metadata"]["name"].get<std::string>(); };
  const auto first = name_of();
  EXPECT_THAT(first, testing::MatchesRegex("api-config-[0-9a-f]{8}"));
  EXPECT_EQ(find(objects_of(service), "ConfigMap")["immutable"], true);
  EXPECT_EQ(container_of(service)["envFrom"], Value::array({{{"configMapRef", {{"name", first}}}}}));
  service.env[0].second.value = "2";
  EXPECT_NE(name_of(), first);
}

TEST(KubernetesObjects, FilesAreMountedOneByOne) {
  const auto target = tests::shop();
  const auto objects = *kubernetes_objects(target, target.services[0], tests::shop_inputs());
  const auto& files = objects[1].body;
  EXPECT_EQ(files["data"]["app.yaml"], "listen: 0.0.0.0:8080\ndebug: false\n");
  EXPECT_EQ(files["data"].size(), 1U);
  EXPECT_EQ(files["binaryData"]["etc_other_app.yaml"], "/wBiaW5hcnk=");
  const auto mounts = find(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"];
  EXPECT_EQ(
      mounts[2],
      (Value{
          {"name", "config-files"}, {"mountPath", "/etc/app/app.yaml"}, {"subPath", "app.yaml"}, {"readOnly", true}}));
}

TEST(KubernetesObjects, FilesTooLargeForAConfigMapAreAnError) {
  auto service = tests::go_service("api");
  service.files = {{"/a", at(std::string("a"))}, {"/b", at(std::string("b"))}};
  const Inputs inputs{.files = {{"a", std::string(600'000, 'x')}, {"b", std::string(600'000, 'x')}}, .sources = {}};
  const auto objects = kubernetes_objects(tests::mini(), service, inputs);
  ASSERT_FALSE(objects);
  EXPECT_EQ(objects.error().message, "the files of 'api' are 1.1 MiB together; a ConfigMap holds 1 MiB");
}

TEST(KubernetesObjects, SecretsAreReferredToByName) {
  auto service = tests::go_service("api");
  service.secrets = {{"DB_PASSWORD", {project::SecretSource::From::environment, "X"}, {}}};
  EXPECT_EQ(container_of(service)["env"][0],
            (Value{{"name", "DB_PASSWORD"},
                   {"valueFrom", {{"secretKeyRef", {{"name", "api-secrets"}, {"key", "DB_PASSWORD"}}}}}}));
  KubernetesOptions options;
  options.secret_names["api"] = "api-secrets-0a1b2c3d";
  EXPECT_EQ(container_of(service, options)["env"][0]["valueFrom"]["secretKeyRef"]["name"], "api-secrets-0a1b2c3d");
}

TEST(SecretObject, IsNamedAfterItsSaltedContent) {
  const auto service = tests::go_service("api");
  const auto make = [&](const std::string& value, std::string_view salt) {
    return secret_object(tests::mini(), service, {{"PASSWORD", base::Secret(value)}}, salt).body;
  };
  const auto secret = make("hunter2", "salt");
  EXPECT_THAT(secret["metadata"]["name"].get<std::string>(), testing::MatchesRegex("api-secrets-[0-9a-f]{8}"));
  EXPECT_EQ(secret["data"], (Value{{"PASSWORD", "aHVudGVyMg=="}}));
  EXPECT_EQ(secret["immutable"], true);
  EXPECT_EQ(secret, make("hunter2", "salt"));
  EXPECT_NE(secret["metadata"]["name"], make("hunter3", "salt")["metadata"]["name"]);
  EXPECT_NE(secret["metadata"]["name"], make("hunter2", "other")["metadata"]["name"]);
}

TEST(KubernetesObjects, CommandsAreLiteral) {
  auto service = tests::go_service("api");
  service.command = {"/app", "$(HOME)", "5$"};
  EXPECT_EQ(container_of(service)["command"], Value::array({"/app", "$$(HOME)", "5$$"}));
  service.command = {"--port", "80"};
  EXPECT_EQ(container_of(service)["command"], Value::array({"/app", "--port", "80"}));
  auto mysql = tests::image_service("mysql", "mysql:8.0");
  mysql.command = {"--character-set-server=utf8mb4"};
  EXPECT_EQ(container_of(mysql)["args"], Value::array({"--character-set-server=utf8mb4"}));
  EXPECT_FALSE(container_of(mysql).contains("command"));
}

TEST(KubernetesObjects, ImagesAreThoseOfTheTable) {
  KubernetesOptions options;
  options.tag = "v2";
  EXPECT_EQ(container_of(tests::go_service("api"), options)["image"], "registry.example.com/team/api:v2");
  options.images["api"] = "registry.example.com/team/api:v2@sha256:abc";
  EXPECT_EQ(container_of(tests::go_service("api"), options)["image"], "registry.example.com/team/api:v2@sha256:abc");
  EXPECT_EQ(container_of(tests::image_service("db", "mysql:8.0"), options)["image"], "mysql:8.0");
}

TEST(KubernetesObjects, NamesThatNoServiceCanHaveAreErrors) {
  for (const auto* name : {"2fast", "Api", "a_b", ""}) {
    EXPECT_FALSE(kubernetes_objects(tests::mini(), tests::go_service(name), {})) << name;
  }
  auto service = tests::go_service("api");
  service.ports.clear();
  service.ingress = project::Ingress{};
  EXPECT_EQ(kubernetes_objects(tests::mini(), service, {}).error().message, "service 'api' has an ingress but no port");
}

void expect_no_nulls(const Value& value, const std::string& path) {
  EXPECT_FALSE(value.is_null()) << path;
  if (value.is_structured()) {
    EXPECT_TRUE(!value.empty() || path.ends_with("emptyDir")) << path << " is empty";
    for (const auto& [key, inner] : value.items()) {
      expect_no_nulls(inner, path + "." + key);
    }
  }
}

TEST(KubernetesObjects, HoldNoNullsAndNothingEmpty) {
  for (const auto& target : {tests::mini(), tests::shop()}) {
    for (const auto& service : target.services) {
      const auto objects = kubernetes_objects(target, service, tests::shop_inputs());
      for (const auto& object : *objects) {
        expect_no_nulls(object.body, object.body["kind"].get<std::string>());
      }
    }
  }
}

TEST(NamespaceObject, IsTheTargetsNamespace) {
  auto target = tests::mini();
  target.name_space = "other";
  EXPECT_EQ(namespace_object(target).body["metadata"]["name"], "other");
}

}  // namespace
}  // namespace deployctl::generate
