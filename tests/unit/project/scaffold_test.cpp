// First project manifests: what they say, and that they hold.
#include "core/project/scaffold.hpp"

#include "tests/unit/project/loading.hpp"

#include <gtest/gtest.h>

namespace deployctl::tests {
namespace {

const std::map<std::string, std::string> shop{
    {"/project/api/go.mod", "module shop\ngo 1.22\n"},
    {"/project/api/main.go", "package main\nfunc main() { router.Run(\":8080\") }\n"},
    {"/project/web/Dockerfile", "FROM nginx\nEXPOSE 80\n"},
    {"/project/compose.yaml", R"(services:
  api:
    build: ./api
    environment: {DB_HOST: mysql, DB_PASSWORD: hunter2, LEVEL: "${LEVEL:-info}", OTHER: $OTHER}
    depends_on: [mysql, nobody]
  mysql:
    image: mysql:8.0
    ports: ["3306:3306"]
    environment: {MYSQL_ROOT_PASSWORD: hunter2, MYSQL_DATABASE: "no"}
    volumes: ["db_data:/var/lib/mysql"]
  rabbit:
    image: rabbitmq:3
    ports: [5672, 15672]
)"},
};

std::string scaffold(const Files& files, const project::ScaffoldOptions& options) {
  return project::scaffold(project::detect("/project", MemoryFileSystem(files)), options);
}

TEST(Scaffold, WritesWhatWasFound) {
  EXPECT_EQ(scaffold(shop, {.project = "My Shop", .registry = ""}),
            R"(# What this project is made of and how it runs.
# 'deployctl validate' checks it, 'deployctl generate' writes the files, 'deployctl release' builds and rolls out.
project: my-shop
registry: registry.example.com/team  # change me: images are pushed to <registry>/<service>
services:
  api:
    source: api
    stack: go
    port: 8080
    # health: /health  # a path that answers 200 when all is well: rollouts wait for it
    env:
      DB_HOST: mysql
      LEVEL: info
    secrets:  # read from the environment at rollout
      DB_PASSWORD: "env:DB_PASSWORD"
    depends_on: [mysql]
  web:
    source: web
    stack: dockerfile  # built by the Dockerfile in the source folder
    port: 80
    # health: /health  # a path that answers 200 when all is well: rollouts wait for it
  mysql:
    image: mysql:8.0
    port: 3306
    env:
      MYSQL_DATABASE: "no"
    secrets:  # read from the environment at rollout
      MYSQL_ROOT_PASSWORD: "env:MYSQL_ROOT_PASSWORD"
    volumes:
      db-data: {mount: /var/lib/mysql, size: 1Gi}
  rabbit:
    image: rabbitmq:3
    ports:
      tcp-5672: 5672
      tcp-15672: 15672
environments:  # each is laid over what stands above; choose one with --env
  dev: {namespace: my-shop-dev}
  prod:
    namespace: my-shop-prod
    approval: manual  # a rollout asks first
    services: {api: {replicas: 2}}
)");
}

struct Row {
  std::string_view name;
  std::map<std::string, std::string> files;
};

TEST(Scaffold, GivesAProjectManifestWithoutMistakes) {
  const std::vector<Row> rows{
      {"a shop", shop},
      {"one Go program", go_project()},
      {"two Go programs",
       {{"/project/go.mod", ""},
        {"/project/cmd/2api/main.go", "package main\n"},
        {"/project/cmd/Worker/main.go", "package main\n"}}},
      {"C++", {{"/project/CMakeLists.txt", "add_executable(api main.cpp)\n"}}},
      {"a Dockerfile", {{"/project/Dockerfile", "FROM scratch\n"}}},
      {"nothing", {{"/project/README.md", ""}}},
      {"the same name twice", {{"/project/API/go.mod", ""}, {"/project/api/go.mod", ""}}},
      {"only a Compose file", {{"/project/compose.yaml", "services: {db: {image: \"redis:7\", ports: [6379]}}\n"}}},
  };
  for (const auto& row : rows) {
    for (const auto& registry : {"", "127.0.0.1:5000/demo"}) {
      const auto text = scaffold(row.files, {.project = "project", .registry = registry});
      for (const auto& environment : {"", "dev", "prod"}) {
        EXPECT_EQ(findings(text, environment, row.files), "") << row.name << "\n" << text;
      }
    }
  }
}

TEST(Scaffold, SaysWhatAStackWithoutTemplateNeeds) {
  const auto text = scaffold({{"/project/package.json", "{}"}}, {.project = "shop", .registry = "r.example.com"});

  EXPECT_NE(text.find("    stack: node  # needs a Dockerfile in the source folder\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace deployctl::tests
