// Environments are laid over the rest of the project manifest.
#include "tests/unit/project/loading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::tests {
namespace {

using testing::ElementsAre;

constexpr std::string_view manifest = R"(project: shop
registry: registry.example.com/team
services:
  api:
    port: 8080
    replicas: 2
    command: [serve, --fast]
    env: {LOG_LEVEL: info, REGION: eu}
    depends_on: [mysql]
  mysql:
    image: mysql:8.0
environments:
  dev:
    services:
      mysql: {port: 3306}
      mailbox: {image: "mailhog:1"}
  prod:
    registry: registry.example.com/live
    context: production
    namespace: live
    approval: manual
    services:
      api:
        replicas: null
        scale: {min: 3, max: 9}
        resources: {cpu: 100m}
        command: [serve]
        env: {LOG_LEVEL: warn, REGION: null, EXTRA: "1"}
        depends_on: null
      mysql: null
)";

std::vector<std::string> names(const project::Target& target) {
  std::vector<std::string> all;
  for (const auto& service : target.services) {
    all.push_back(*service.name);
  }
  return all;
}

std::vector<std::string> env(const project::Service& service) {
  std::vector<std::string> all;
  for (const auto& [name, value] : service.env) {
    all.push_back(name + "=" + *value);
  }
  return all;
}

TEST(Environments, WithoutAChoiceNothingIsLaidOver) {
  const auto base = target(manifest);

  EXPECT_EQ(base.environment, "");
  EXPECT_THAT(base.environments, ElementsAre("dev", "prod"));
  EXPECT_THAT(names(base), ElementsAre("api", "mysql"));
  EXPECT_EQ(base.name_space, "shop");
  EXPECT_EQ(*base.context, "");
}

TEST(Environments, SetTheirOwnKeys) {
  const auto prod = target(manifest, "prod");

  EXPECT_EQ(prod.environment, "prod");
  EXPECT_EQ(*prod.registry, "registry.example.com/live");
  EXPECT_EQ(*prod.context, "production");
  EXPECT_EQ(prod.name_space, "live");
  EXPECT_EQ(prod.approval, project::Approval::manual);
  EXPECT_EQ(*prod.services[0].image, "registry.example.com/live/api");
}

TEST(Environments, MayBePinnedToOneCluster) {
  const std::string uid = "6f1c2d9e-0b1a-4c5d-8e7f-102938475665";
  const std::string text = "project: shop\nservices: {db: {image: \"redis:7\"}}\n";
  const auto pinned =
      target(text + "pull_secret: regcred\nenvironments: {prod: {cluster: {uid: " + uid + "}}}\n", "prod");
  ASSERT_TRUE(pinned.cluster);
  EXPECT_EQ(pinned.cluster->uid, uid);
  EXPECT_EQ(pinned.pull_secret, "regcred");
  EXPECT_FALSE(target(text + "environments: {prod: {}}\n", "prod").cluster);
}

TEST(Environments, MergeMappingsReplaceTheRestAndRemoveNulls) {
  const auto prod = target(manifest, "prod");

  ASSERT_THAT(names(prod), ElementsAre("api"));
  const auto& api = prod.services[0];
  EXPECT_THAT(env(api), ElementsAre("LOG_LEVEL=warn", "EXTRA=1"));
  EXPECT_THAT(api.command, ElementsAre("serve"));
  EXPECT_EQ(api.scale->max, 9);
  EXPECT_EQ(api.ports.at(0).number, 8080);
  EXPECT_TRUE(api.depends_on.empty());
}

TEST(Environments, MayHaveServicesOfTheirOwn) {
  const auto dev = target(manifest, "dev");

  EXPECT_THAT(names(dev), ElementsAre("api", "mysql", "mailbox"));
  EXPECT_EQ(dev.services[1].service->port, 3306);
  EXPECT_THAT(env(dev.services[0]), ElementsAre("LOG_LEVEL=info", "REGION=eu"));
}

TEST(Environments, ValuesOfAnOverlayPointIntoTheOverlay) {
  const auto prod = target(manifest, "prod");

  EXPECT_EQ(base::to_string(prod.services[0].env[0].second.span), "deployctl.yaml:28:26");
  EXPECT_EQ(base::to_string(prod.services[0].ports[0].span), "deployctl.yaml:5:11");
}

TEST(Environments, AnUnknownOneIsAnErrorWithASuggestion) {
  EXPECT_EQ(findings(manifest, "prdo"), R"(deployctl.yaml:12:1: error: there is no environment 'prdo'
  12 | environments:
     | ^^^^^^^^^^^^
  did you mean 'prod'?
)");
  EXPECT_EQ(findings(manifest, "qa"), R"(deployctl.yaml:12:1: error: there is no environment 'qa'
  12 | environments:
     | ^^^^^^^^^^^^
  environments: dev, prod
)");
}

TEST(Environments, ThereMayBeNone) {
  EXPECT_EQ(findings("project: p\nservices: {db: {image: \"mysql:8\"}}\n", "prod"),
            "deployctl.yaml: error: there is no environment 'prod'\n"
            "  the project manifest names no environments\n");
}

TEST(Environments, AreCheckedWhetherTheyAreChosenOrNot) {
  constexpr std::string_view text = R"(project: p
services:
  db: {image: "mysql:8", replicas: 1}
environments:
  dev: {}
  prod: {services: {db: {replicas: many}}}
)";
  constexpr std::string_view told = R"(deployctl.yaml:6:36: error: 'replicas' must be a number, not text
  6 |   prod: {services: {db: {replicas: many}}}
    |                                    ^^^^
)";
  EXPECT_EQ(findings(text), told);
  EXPECT_EQ(findings(text, "dev"), told);
  EXPECT_EQ(findings(text, "prod"), told);
}

TEST(Environments, AMistakeOfTheBaseIsSaidOnce) {
  EXPECT_EQ(findings(R"(project: p
services:
  db: {image: "mysql:8", prot: 3306}
environments:
  dev: {services: {db: {replicas: 1}}}
  prod: {services: {db: {replicas: 2}}}
)"),
            R"(deployctl.yaml:3:26: error: unknown key 'prot'
  3 |   db: {image: "mysql:8", prot: 3306}
    |                          ^^^^
  did you mean 'port'?
)");
}

TEST(Environments, AKeyThatIsRemovedButNeededIsMissedInTheEnvironment) {
  EXPECT_EQ(findings(R"(project: p
services:
  db:
    image: mysql:8
    volumes: {data: {mount: /data, size: 1Gi}}
environments:
  prod: {services: {db: {volumes: {data: {size: null}}}}}
)"),
            R"(deployctl.yaml:7:36: error: volume 'data' needs 'size'
  7 |   prod: {services: {db: {volumes: {data: {size: null}}}}}
    |                                    ^^^^
  for example 'size: 1Gi'
)");
}

}  // namespace
}  // namespace deployctl::tests
