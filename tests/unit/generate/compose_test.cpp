#include "core/generate/compose.hpp"

#include "tests/unit/generate/sample.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace deployctl::generate {
namespace {

using json::Value;
using tests::at;

Value service_of(const project::Target& target, const std::string& name) {
  return compose(target, "v1")["services"][name];
}

TEST(Compose, AServiceOfOursIsBuiltConfinedAndPublishedOnThisMachineOnly) {
  EXPECT_EQ(compose(tests::mini(), "v1"), (Value{{"services",
                                                  {{"api",
                                                    {{"image", "registry.example.com/team/api:v1"},
                                                     {"build", {{"context", "."}, {"dockerfile", "Dockerfile"}}},
                                                     {"restart", "unless-stopped"},
                                                     {"init", true},
                                                     {"stop_grace_period", "30s"},
                                                     {"ports", Value::array({"127.0.0.1:8080:8080"})},
                                                     {"read_only", true},
                                                     {"tmpfs", Value::array({"/tmp"})},
                                                     {"cap_drop", Value::array({"ALL"})},
                                                     {"security_opt", Value::array({"no-new-privileges:true"})}}}}}}));
}

TEST(Compose, LiteralDollarSignsAreDoubledAndSecretsAreRequired) {
  const auto api = service_of(tests::shop(), "api");
  EXPECT_EQ(api["environment"]["PRICE"], "5$$ or $$$$6");
  EXPECT_EQ(api["environment"]["DB_PASSWORD"], "${PROD_DB_PASSWORD:?set PROD_DB_PASSWORD before starting}");
  EXPECT_EQ(api["environment"]["SIGNING_KEY"], "${SIGNING_KEY:?set SIGNING_KEY to the content of its file}");
}

TEST(Compose, DependenciesWaitForHealthWhereItIsChecked) {
  const auto target = tests::shop();
  const auto api = service_of(target, "api");
  EXPECT_EQ(api["depends_on"],
            (Value{{"mysql", {{"condition", "service_healthy"}}}, {"redis", {{"condition", "service_healthy"}}}}));
  auto with_nats = tests::mini();
  with_nats.services.push_back(tests::image_service("nats", "nats:2.10"));
  with_nats.services[0].depends_on = {at(std::string("nats"))};
  EXPECT_EQ(service_of(with_nats, "api")["depends_on"]["nats"]["condition"], "service_started");
  EXPECT_FALSE(service_of(with_nats, "nats").contains("healthcheck")) << "nothing in that image could check";
}

TEST(Compose, TasksRunOnceAndTheServiceWaitsForThoseBeforeIt) {
  using When = project::Task::When;
  auto target = tests::shop();
  target.services[0].tasks = {{.name = "check", .command = {"check"}},
                              {.name = "migrate", .command = {"/app", "migrate", "$X"}},
                              {.name = "seed", .command = {"seed"}, .when = When::after_rollout}};
  const auto name = *target.services[0].name;
  const auto migrate = service_of(target, name + "-migrate");
  EXPECT_EQ(migrate["restart"], "no");
  EXPECT_EQ(migrate["entrypoint"], Value::array({"/app", "migrate", "$$X"}));
  EXPECT_EQ(migrate["image"], service_of(target, name)["image"]);
  EXPECT_EQ(migrate["environment"], service_of(target, name)["environment"]);
  EXPECT_FALSE(migrate.contains("ports"));
  EXPECT_EQ(migrate["depends_on"]["mysql"]["condition"], "service_healthy");
  EXPECT_EQ(migrate["depends_on"][name + "-check"]["condition"], "service_completed_successfully");
  const auto api = service_of(target, name);
  EXPECT_EQ(api["depends_on"][name + "-migrate"]["condition"], "service_completed_successfully");
  EXPECT_FALSE(api["depends_on"].contains(name + "-seed"));
  EXPECT_EQ(service_of(target, name + "-seed")["depends_on"], (Value{{name, {{"condition", "service_started"}}}}));
}

TEST(Compose, HealthchecksAreCommandsOfTheImage) {
  auto target = tests::mini();
  EXPECT_FALSE(service_of(target, "api").contains("healthcheck")) << "HTTP checks need a client in the image";
  target.services[0].health.readiness->command = {"/app", "--healthcheck", "$X"};
  EXPECT_EQ(service_of(target, "api")["healthcheck"]["test"], Value::array({"CMD", "/app", "--healthcheck", "$$X"}));
}

TEST(Compose, DatabasesAreBehindAndNotPublished) {
  const auto target = tests::shop();
  EXPECT_EQ(service_of(target, "mysql")["networks"], Value::array({"back"}));
  EXPECT_FALSE(service_of(target, "mysql").contains("ports"));
  EXPECT_EQ(service_of(target, "api")["networks"], Value::array({"front", "back"}));
  EXPECT_EQ(service_of(target, "api")["ports"], Value::array({"8080:8080", "9090:9090"})) << "a NodePort is public";
  EXPECT_FALSE(compose(tests::mini(), "v1").contains("networks")) << "one service needs no second network";
}

TEST(Compose, APortThatSeveralServicesHaveIsPublishedOnceAndTheOthersAtTheNextFreeOnes) {
  auto target = tests::mini();  // api at 8080
  for (const auto* name : {"web", "admin", "jobs"}) {
    target.services.push_back(tests::go_service(name));
  }
  target.services[2].ports = {{.name = "http", .number = 8081, .span = {}}};
  target.services[3].ports = {{.name = "http", .number = 8080, .span = {}},
                              {.name = "same", .number = 8080, .span = {}},
                              {.name = "metrics", .number = 9090, .span = {}}};
  target.services[3].service->type = project::ServicePort::Type::load_balancer;
  target.services.push_back(tests::image_service("mysql", "mysql:8.0"));

  EXPECT_EQ(service_of(target, "api")["ports"], Value::array({"127.0.0.1:8080:8080"}));
  EXPECT_EQ(service_of(target, "web")["ports"], Value::array({"127.0.0.1:8082:8080"})) << "8081 is admin's own";
  EXPECT_EQ(service_of(target, "admin")["ports"], Value::array({"127.0.0.1:8081:8081"}));
  EXPECT_EQ(service_of(target, "jobs")["ports"], Value::array({"8083:8080", "9090:9090"}));
  EXPECT_FALSE(service_of(target, "mysql").contains("ports"));
}

TEST(Compose, AfterTheLastPortTheSearchGoesOnAboveTheReservedOnes) {
  auto target = tests::mini();
  target.services.push_back(tests::go_service("web"));
  for (auto& service : target.services) {
    service.ports = {{.name = "http", .number = 65535, .span = {}}};
  }
  EXPECT_EQ(service_of(target, "web")["ports"], Value::array({"127.0.0.1:1024:65535"}));
}

TEST(Compose, ExternalServicesAreLeftOut) {
  const auto file = compose(tests::shop(), "v1");
  EXPECT_FALSE(file["services"].contains("mail"));
  EXPECT_FALSE(file["services"]["api"]["depends_on"].contains("mail"));
}

TEST(Compose, VolumesAreNamedAfterTheProject) {
  const auto file = compose(tests::shop(), "v1");
  EXPECT_EQ(file["volumes"]["mysql-data"]["name"], "shop-mysql-data");
  EXPECT_EQ(file["services"]["mysql"]["volumes"][0],
            (Value{{"type", "volume"}, {"source", "mysql-data"}, {"target", "/var/lib/mysql"}}));
}

TEST(Compose, DockerfilesAreFoundFromTheContext) {
  auto target = tests::mini();
  target.services[0].build->source = at(std::string("./services/api/"));
  EXPECT_EQ(service_of(target, "api")["build"], (Value{{"context", "./services/api"}, {"dockerfile", "Dockerfile"}}));
  target.services.push_back(tests::go_service("jobs"));
  target.services[1].build->source = at(std::string("services/api"));
  EXPECT_EQ(service_of(target, "jobs")["build"]["dockerfile"], "../../deploy/docker/jobs.Dockerfile");
  target.services[1].build->dockerfile = at(std::string("build/Dockerfile"));
  target.services[1].build->target = "debug";
  target.services[1].build->args = {{"X", at(std::string("$1"))}};
  EXPECT_EQ(service_of(target, "jobs")["build"], (Value{{"context", "./services/api"},
                                                        {"dockerfile", "build/Dockerfile"},
                                                        {"target", "debug"},
                                                        {"args", {{"X", "$$1"}}}}));
}

TEST(Compose, LimitsAreThoseOfTheResources) {
  auto target = tests::mini();
  target.services[0].resources.cpu_limit = tests::quantity("250m");
  target.services[0].resources.memory_limit = tests::quantity("128Mi");
  EXPECT_EQ(service_of(target, "api")["deploy"]["resources"]["limits"], (Value{{"cpus", "0.25"}, {"memory", "128M"}}));
  target.services[0].resources.memory_limit = tests::quantity("100M");
  EXPECT_EQ(service_of(target, "api")["deploy"]["resources"]["limits"]["memory"], "100000000b");
}

}  // namespace
}  // namespace deployctl::generate
