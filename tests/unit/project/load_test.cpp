// What project manifests mean: the Target that good ones give.
#include "core/project/load.hpp"

#include "tests/unit/project/loading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace deployctl::tests {
namespace {

using namespace std::chrono_literals;
using project::ServicePort;
using project::Stack;
using project::Strategy;
using testing::ElementsAre;

constexpr std::string_view smallest = R"(
project: miniapp
registry: registry.example.com/team
services:
  api:
    port: 8080
    health: /health
)";

// One service `api` of a project that needs nothing else.
project::Service service(std::string_view keys, const Files& files = go_project()) {
  auto loaded = target(fmt::format("project: p\nregistry: r.example.com\nservices:\n  api:\n{}\n", keys), {}, files);
  return loaded.services.empty() ? project::Service{} : loaded.services.front();
}

std::string text(const std::optional<base::Quantity>& quantity) {
  return quantity ? quantity->text() : "-";
}

TEST(Load, FillsInEverythingThatTheShortestFormLeavesOut) {
  const auto loaded = target(smallest);

  EXPECT_EQ(*loaded.project, "miniapp");
  EXPECT_EQ(loaded.directory, "/project");
  EXPECT_EQ(loaded.manifest_name, "deployctl.yaml");
  EXPECT_EQ(loaded.environment, "");
  EXPECT_EQ(loaded.name_space, "miniapp");
  EXPECT_EQ(loaded.approval, project::Approval::automatic);
  ASSERT_EQ(loaded.services.size(), 1U);
  const auto& api = loaded.services.front();
  ASSERT_TRUE(api.is_built());
  EXPECT_EQ(api.build->stack, Stack::go);
  EXPECT_EQ(*api.build->source, ".");
  EXPECT_EQ(*api.build->dockerfile, "");
  EXPECT_EQ(*api.image, "registry.example.com/team/api");
  EXPECT_EQ(api.replicas, 1);
  EXPECT_FALSE(api.scale);
  EXPECT_EQ(api.strategy.type, Strategy::Type::rolling);
  EXPECT_EQ(api.strategy.deadline, 5min);
  ASSERT_TRUE(api.service);
  EXPECT_EQ(api.service->type, ServicePort::Type::cluster_ip);
  EXPECT_EQ(api.service->port, 8080);
}

TEST(Load, APathAsHealthIsAllThreeChecks) {
  const auto health = service("    port: 8080\n    health: /health").health;

  ASSERT_TRUE(health.liveness && health.readiness && health.startup);
  for (const auto& probe : {*health.liveness, *health.readiness, *health.startup}) {
    EXPECT_EQ(probe.path, "/health");
    EXPECT_EQ(probe.port, "http");
  }
  EXPECT_EQ(health.liveness->period, 10s);
  EXPECT_EQ(health.readiness->period, 5s);
  EXPECT_EQ(health.startup->period * health.startup->threshold, 2min);
}

TEST(Load, ChecksOneByOneAreOnlyThoseThatAreGiven) {
  const auto health = service(R"(
    ports: {http: 8080, admin: 9090}
    health:
      liveness: {command: [check, -v, 1]}
      readiness: {path: /ready, port: 9090, initial_delay: 3s, period: 7s, timeout: 4s, threshold: 5}
)")
                          .health;

  EXPECT_FALSE(health.startup);
  EXPECT_THAT(health.liveness->command, ElementsAre("check", "-v", "1"));
  EXPECT_EQ(health.liveness->port, "");
  EXPECT_EQ(health.readiness->path, "/ready");
  EXPECT_EQ(health.readiness->port, "admin");
  EXPECT_EQ(health.readiness->initial_delay, 3s);
  EXPECT_EQ(health.readiness->period, 7s);
  EXPECT_EQ(health.readiness->timeout, 4s);
  EXPECT_EQ(health.readiness->threshold, 5);
}

TEST(Load, ACheckWithoutPathOpensAConnection) {
  const auto health = service("    port: 6379\n    health: {readiness: {}, startup: /started}").health;

  EXPECT_EQ(health.readiness->path, "");
  EXPECT_EQ(health.readiness->port, "http");
  EXPECT_EQ(health.startup->path, "/started");
  EXPECT_FALSE(health.liveness);
}

TEST(Load, AnImageAloneIsABackingService) {
  const auto mysql = service("    image: mysql:8.0\n    port: 3306");

  EXPECT_FALSE(mysql.is_built());
  EXPECT_EQ(*mysql.image, "mysql:8.0");
  EXPECT_EQ(mysql.service->port, 3306);
}

TEST(Load, AnImageBesideASourceIsTheRepositoryOfWhatIsBuilt) {
  const auto api = service("    source: .\n    image: ghcr.io/shop/api");

  EXPECT_TRUE(api.is_built());
  EXPECT_EQ(*api.image, "ghcr.io/shop/api");
}

TEST(Load, NoRegistryIsNeededWhenEveryServiceNamesItsImage) {
  const auto loaded =
      target("project: p\nservices: {db: {image: \"mysql:8.0\"}, api: {source: ., image: ghcr.io/a/b}}");

  EXPECT_EQ(*loaded.registry, "");
}

TEST(Load, ReadsEveryKeyOfABuild) {
  const auto build = *service(R"(
    source: ./services//api/
    stack: go
    build:
      package: ./cmd/api
      target: builder
      args: {GOPROXY: "https://goproxy.cn,direct", DEBUG: 1}
      secrets: [npm_token]
      base: golang:1.22-bookworm
      runtime: gcr.io/distroless/static-debian12:nonroot
      platforms: [linux/arm64]
      max_size: 30Mi
      sbom: true
      provenance: true
)",
                              {{"/project/services/api/go.mod", ""}})
                          .build;

  EXPECT_EQ(*build.source, "services/api");
  EXPECT_EQ(build.stack, Stack::go);
  EXPECT_EQ(*build.package, "./cmd/api");
  EXPECT_EQ(build.target, "builder");
  ASSERT_EQ(build.args.size(), 2U);
  EXPECT_EQ(build.args[0].first, "GOPROXY");
  EXPECT_EQ(*build.args[0].second, "https://goproxy.cn,direct");
  EXPECT_EQ(*build.args[1].second, "1");
  EXPECT_EQ(*build.secrets.at(0), "npm_token");
  EXPECT_EQ(*build.base, "golang:1.22-bookworm");
  EXPECT_EQ(*build.runtime, "gcr.io/distroless/static-debian12:nonroot");
  EXPECT_THAT(build.platforms, ElementsAre("linux/arm64"));
  EXPECT_EQ(text(build.max_size), "30Mi");
  EXPECT_TRUE(build.sbom);
  EXPECT_TRUE(build.provenance);
}

TEST(Load, ADockerfileInTheSourceFolderIsUsed) {
  const std::map<std::string, std::string> files{{"/project/package.json", "{}"},
                                                 {"/project/Dockerfile", "FROM node:22\n"}};
  for (const auto keys :
       {"    port: 80", "    stack: node", "    stack: dockerfile", "    build: {dockerfile: Dockerfile}"}) {
    const auto build = *service(keys, files).build;
    EXPECT_EQ(*build.dockerfile, "Dockerfile") << keys;
    EXPECT_EQ(build.stack, Stack::dockerfile) << keys;
  }
}

TEST(Load, ADockerfileThatWasGeneratedIsNotTheUsers) {
  const auto build =
      *service("    port: 80",
               {{"/project/go.mod", ""}, {"/project/Dockerfile", "# Generated by deployctl from deployctl.yaml; …\n"}})
           .build;

  EXPECT_EQ(build.stack, Stack::go);
  EXPECT_EQ(*build.dockerfile, "");
}

TEST(Load, ReadsWhatAContainerFindsAroundIt) {
  auto files = go_project();
  files["/project/config/app.yaml"] = "a: 1\n";
  const auto api = service(R"(
    command: ["/app", "serve", 8080]
    env: {LOG_LEVEL: info, WORKERS: 4, RATE: 1.50, DEBUG: no, EMPTY: ""}
    secrets: {DB_PASSWORD: "env:PROD_DB_PASSWORD", KEY: "file:secrets/key.pem"}
    files: {/etc/app/app.yaml: ./config/app.yaml}
    volumes: {data: {mount: /var/lib/app/, size: 1Gi, class: standard, access: ReadWriteMany}}
)",
                           files);

  EXPECT_THAT(api.command, ElementsAre("/app", "serve", "8080"));
  std::vector<std::string> env;
  for (const auto& [name, value] : api.env) {
    env.push_back(name + "=" + *value);
  }
  EXPECT_THAT(env, ElementsAre("LOG_LEVEL=info", "WORKERS=4", "RATE=1.50", "DEBUG=no", "EMPTY="));
  ASSERT_EQ(api.secrets.size(), 2U);
  EXPECT_EQ(api.secrets[0].variable, "DB_PASSWORD");
  EXPECT_EQ(api.secrets[0].source.from, project::SecretSource::From::environment);
  EXPECT_EQ(api.secrets[0].source.name, "PROD_DB_PASSWORD");
  EXPECT_EQ(api.secrets[1].source.from, project::SecretSource::From::file);
  EXPECT_EQ(api.secrets[1].source.name, "secrets/key.pem");
  EXPECT_EQ(api.files.at(0).path, "/etc/app/app.yaml");
  EXPECT_EQ(*api.files.at(0).source, "config/app.yaml");
  EXPECT_EQ(api.volumes.at(0).mount, "/var/lib/app");
  EXPECT_EQ(api.volumes.at(0).size.text(), "1Gi");
  EXPECT_EQ(api.volumes.at(0).storage_class, "standard");
  EXPECT_EQ(api.volumes.at(0).access, "ReadWriteMany");
}

TEST(Load, ShortResourcesAreRequestsAndAMemoryLimit) {
  const auto resources = service("    resources: {cpu: 0.5, memory: 128Mi}").resources;

  EXPECT_EQ(text(resources.cpu_request), "0.5");
  EXPECT_EQ(text(resources.cpu_limit), "-");
  EXPECT_EQ(text(resources.memory_request), "128Mi");
  EXPECT_EQ(text(resources.memory_limit), "128Mi");
}

TEST(Load, LongResourcesAreWhatTheySay) {
  const auto resources = service("    resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}").resources;

  EXPECT_EQ(text(resources.cpu_request), "1");
  EXPECT_EQ(text(resources.cpu_limit), "-");
  EXPECT_EQ(text(resources.memory_request), "-");
  EXPECT_EQ(text(resources.memory_limit), "1Gi");
}

TEST(Load, ReadsHowPodsAreScaledAndReplaced) {
  const auto api = service(R"(
    resources: {cpu: 100m}
    scale: {min: 2, max: 10, cpu: 50}
    strategy: {type: rolling, max_surge: 25%, max_unavailable: 1, deadline: 1h30m}
)");

  EXPECT_EQ(api.scale->min, 2);
  EXPECT_EQ(api.scale->max, 10);
  EXPECT_EQ(api.scale->cpu, 50);
  EXPECT_EQ(api.replicas, 2);
  EXPECT_EQ(api.strategy.max_surge, "25%");
  EXPECT_EQ(api.strategy.max_unavailable, "1");
  EXPECT_EQ(api.strategy.deadline, 90min);
}

TEST(Load, ReadsThePatienceWithRulesOfTheVerdict) {
  const auto api = service(R"(
    strategy: {rules: {unschedulable: 10m, image-not-found: never}}
)");
  EXPECT_EQ(api.strategy.rules.at("unschedulable"), base::Milliseconds(10min));
  EXPECT_EQ(api.strategy.rules.at("image-not-found"), std::nullopt);
}

TEST(Load, AVolumeForOnePodMeansRecreateUnlessRollingIsAskedFor) {
  const std::string volume = "    volumes: {data: {mount: /data, size: 1Gi}}\n";

  EXPECT_EQ(service(volume).strategy.type, Strategy::Type::recreate);
  EXPECT_EQ(service(volume + "    strategy: {deadline: 1m}").strategy.type, Strategy::Type::recreate);
  EXPECT_EQ(service(volume + "    strategy: {type: rolling}").strategy.type, Strategy::Type::rolling);
  EXPECT_EQ(service(volume + "    strategy: {max_surge: 2}").strategy.type, Strategy::Type::rolling);
}

TEST(Load, ReadsHowAServiceIsReached) {
  const auto api = service(R"(
    ports: {http: 8080, metrics: 9090}
    service: {type: NodePort, port: 80, node_port: 30080}
    ingress: {host: "*.example.com", path: /v1, class: nginx, tls: api-tls}
)");

  ASSERT_EQ(api.ports.size(), 2U);
  EXPECT_EQ(api.ports[1].name, "metrics");
  EXPECT_EQ(api.ports[1].number, 9090);
  EXPECT_EQ(api.service->type, ServicePort::Type::node_port);
  EXPECT_EQ(api.service->port, 80);
  EXPECT_EQ(api.service->node_port, 30080);
  EXPECT_EQ(api.ingress->host, "*.example.com");
  EXPECT_EQ(api.ingress->path, "/v1");
  EXPECT_EQ(api.ingress->class_name, "nginx");
  EXPECT_EQ(api.ingress->tls_secret, "api-tls");
}

TEST(Load, AServiceOutsideTheClusterIsOnlyAName) {
  const auto database = service("    service: {type: ExternalName, external_name: db.example.com}");

  EXPECT_FALSE(database.is_built());
  EXPECT_EQ(*database.image, "");
  EXPECT_EQ(database.service->external_name, "db.example.com");
}

TEST(Load, AServiceWithoutPortHasNoAddress) {
  EXPECT_FALSE(service("    replicas: 0").service);
}

TEST(Load, KeepsServicesAndDependenciesInTheOrderOfTheFile) {
  const auto loaded = target(R"(
project: p
registry: r.example.com
ci: {gitlab: {}}
services:
  web: {depends_on: [mysql, api]}
  api: {}
  mysql: {image: "mysql:8.0"}
)");

  EXPECT_EQ(*loaded.services[0].name, "web");
  EXPECT_EQ(*loaded.services[2].name, "mysql");
  EXPECT_EQ(*loaded.services[0].depends_on.at(1), "api");
  EXPECT_EQ(loaded.find("api"), &loaded.services[1]);
  EXPECT_EQ(loaded.find("nobody"), nullptr);
  EXPECT_TRUE(loaded.ci.gitlab);
  EXPECT_FALSE(loaded.ci.github);
}

TEST(Load, ValuesKnowWhereTheyWereWritten) {
  const auto loaded = target(smallest);

  EXPECT_EQ(base::to_string(loaded.project.span), "deployctl.yaml:2:10");
  EXPECT_EQ(base::to_string(loaded.services[0].name.span), "deployctl.yaml:5:3");
  EXPECT_EQ(base::to_string(loaded.services[0].image.span), "deployctl.yaml:3:11");
}

TEST(FindManifest, LooksInTheFoldersAbove) {
  const MemoryFileSystem files(
      Files{{"/home/ada/shop/deployctl.yaml", ""}, {"/home/ada/shop/services/api/main.go", ""}});

  EXPECT_EQ(*project::find_manifest("/home/ada/shop/services/api", files), "/home/ada/shop/deployctl.yaml");
  EXPECT_EQ(*project::find_manifest("/home/ada/shop", files), "/home/ada/shop/deployctl.yaml");
}

TEST(FindManifest, TakesTheOtherEndingToo) {
  EXPECT_EQ(*project::find_manifest("/a", MemoryFileSystem(Files{{"/a/deployctl.yml", ""}})), "/a/deployctl.yml");
  EXPECT_EQ(*project::find_manifest("/a", MemoryFileSystem(Files{{"/deployctl.yml", ""}})), "/deployctl.yml");
}

TEST(FindManifest, SaysWhatToDoWhenThereIsNone) {
  const auto found = project::find_manifest("/a/b", MemoryFileSystem(Files{{"/a/b/c", ""}}));

  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, base::ErrorCode::not_found);
  EXPECT_EQ(base::to_string(found.error()), "there is no deployctl.yaml in '/a/b' or a folder above it");
  EXPECT_EQ(found.error().hint, "run 'deployctl init' to write a first one, or name it with --file");
}

}  // namespace
}  // namespace deployctl::tests
