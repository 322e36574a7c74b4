#include "tests/unit/generate/sample.hpp"

namespace deployctl::tests {

using project::Build;
using project::Service;
using project::Stack;
using project::Target;

base::Quantity quantity(std::string_view text) {
  return *base::Quantity::parse(text);
}

project::Probe http_probe(std::string path) {
  project::Probe probe;
  probe.path = std::move(path);
  probe.port = "http";
  return probe;
}

namespace {

Service built_service(const std::string& name, Stack stack) {
  Service service;
  service.name = at(name);
  service.image = at("registry.example.com/team/" + name);
  Build build;
  build.stack = stack;
  build.source = at(std::string("."));
  service.build = build;
  return service;
}

Service full_api() {
  auto api = go_service("api");
  api.build->package = at(std::string("./cmd/api"));
  api.build->args = {{"GOPROXY", at(std::string("https://goproxy.cn,direct"))}};
  api.build->secrets = {at(std::string("git_token"))};
  api.command = {"/app", "serve", "--greeting", "hello $USER"};
  api.ports.push_back({.name = "metrics", .number = 9090, .span = {}});
  api.env = {{"LOG_LEVEL", at(std::string("warn"))},
             {"PRICE", at(std::string("5$ or $$6"))},
             {"VERSION_TEXT", at(std::string("1.20"))},
             {"COUNTRY", at(std::string("no"))},
             {"MOTTO", at(std::string("你好, \"world\"\nsecond line"))}};
  api.secrets = {{"DB_PASSWORD", {project::SecretSource::From::environment, "PROD_DB_PASSWORD"}, {}},
                 {"SIGNING_KEY", {project::SecretSource::From::file, "secrets/signing"}, {}}};
  api.files = {{"/etc/app/app.yaml", at(std::string("config/app.yaml"))},
               {"/etc/other/app.yaml", at(std::string("config/other.yaml"))}};
  api.volumes = {{.name = "uploads",
                  .mount = "/var/lib/app",
                  .size = quantity("1Gi"),
                  .storage_class = "standard",
                  .access = "ReadWriteMany",
                  .span = {}}};
  api.resources = {.cpu_request = quantity("100m"),
                   .memory_request = quantity("128Mi"),
                   .cpu_limit = quantity("500m"),
                   .memory_limit = quantity("256Mi")};
  api.scale = project::Scale{.min = 2, .max = 10, .cpu = 50};
  api.service = project::ServicePort{
      .type = project::ServicePort::Type::node_port, .port = 80, .node_port = 30080, .external_name = {}};
  api.ingress = project::Ingress{
      .host = "api.example.com", .path = "/v1", .class_name = "nginx", .tls_secret = "api-tls", .span = {}};
  api.depends_on = {at(std::string("mysql")), at(std::string("redis")), at(std::string("mail"))};
  return api;
}

Service full_mysql() {
  auto mysql = image_service("mysql", "mysql:8.0");
  mysql.env = {{"MYSQL_DATABASE", at(std::string("shop"))}};
  mysql.secrets = {{"MYSQL_ROOT_PASSWORD", {project::SecretSource::From::environment, "MYSQL_ROOT_PASSWORD"}, {}}};
  mysql.volumes = {
      {.name = "data", .mount = "/var/lib/mysql", .size = quantity("10Gi"), .storage_class = {}, .span = {}}};
  mysql.strategy.type = project::Strategy::Type::recreate;
  return mysql;
}

Service full_worker() {
  auto worker = cpp_service("worker");
  worker.build->source = at(std::string("services/worker"));
  worker.build->package = at(std::string("shop-worker"));
  worker.build->args = {{"PACKAGES", at(std::string("libcurl4-openssl-dev libsqlite3-dev"))}};
  worker.ports.clear();
  worker.health = {};
  worker.service.reset();
  worker.replicas = 3;
  worker.strategy.max_surge = "25%";
  worker.strategy.deadline = std::chrono::seconds(90);
  worker.depends_on = {at(std::string("redis"))};
  return worker;
}

Service external_mail() {
  auto mail = image_service("mail", "");
  mail.service = project::ServicePort{
      .type = project::ServicePort::Type::external_name, .node_port = {}, .external_name = "smtp.example.com"};
  return mail;
}

}  // namespace

Service go_service(const std::string& name) {
  auto service = built_service(name, Stack::go);
  service.ports = {{.name = "http", .number = 8080, .span = {}}};
  service.service = project::ServicePort{.port = 8080, .node_port = {}, .external_name = {}};
  service.health = {.liveness = http_probe("/health"), .readiness = http_probe("/health"), .startup = {}};
  return service;
}

Service cpp_service(const std::string& name) {
  auto service = go_service(name);
  service.build->stack = Stack::cpp;
  return service;
}

Service image_service(const std::string& name, const std::string& image) {
  Service service;
  service.name = at(name);
  service.image = at(image);
  return service;
}

Target mini() {
  Target target;
  target.directory = "/home/me/miniapp";
  target.manifest_name = "deployctl.yaml";
  target.project = at(std::string("miniapp"));
  target.registry = at(std::string("registry.example.com/team"));
  target.name_space = "miniapp";
  target.services = {go_service("api")};
  return target;
}

Target shop() {
  auto target = mini();
  target.directory = "/home/me/shop";
  target.project = at(std::string("shop"));
  target.name_space = "shop";
  target.environment = "prod";
  target.environments = {"dev", "prod"};
  target.approval = project::Approval::manual;
  target.services = {full_api(), full_worker(), full_mysql(), image_service("redis", "redis:7.2"), external_mail()};
  target.ci = {.github = true, .gitlab = true};
  return target;
}

generate::Inputs shop_inputs() {
  return {.files = {{"config/app.yaml", "listen: 0.0.0.0:8080\ndebug: false\n"},
                    {"config/other.yaml", std::string("\xff\x00"
                                                      "binary",
                                                      8)}},
          .sources = {{"api", {.go_version = "1.22.3", .main_package = {}, .executable = {}}}}};
}

}  // namespace deployctl::tests
