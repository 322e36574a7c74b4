// Whole projects against the files in tests/golden/<project>/. UPDATE_GOLDEN=1 in the environment rewrites them.
#include "core/generate/artifacts.hpp"

#include "tests/unit/generate/sample.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace deployctl::generate {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

const fs::path golden_folder = fs::path(DEPLOYCTL_SOURCE_DIR) / "tests/golden";

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_updating() {
  return std::getenv("UPDATE_GOLDEN") != nullptr;
}

void rewrite(const fs::path& folder, const std::vector<Artifact>& artifacts) {
  fs::remove_all(folder);
  for (const auto& artifact : artifacts) {
    fs::create_directories((folder / artifact.path).parent_path());
    std::ofstream(folder / artifact.path, std::ios::binary) << artifact.content;
  }
}

std::set<std::string> files_below(const fs::path& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files.insert(fs::relative(entry.path(), folder).generic_string());
    }
  }
  return files;
}

void expect_golden(const std::string& name, const base::Result<std::vector<Artifact>>& artifacts) {
  ASSERT_TRUE(artifacts) << base::to_string(artifacts.error());
  const auto folder = golden_folder / name;
  if (is_updating()) {
    rewrite(folder, *artifacts);
  }
  std::set<std::string> paths;
  for (const auto& artifact : *artifacts) {
    EXPECT_EQ(artifact.content, read_file(folder / artifact.path)) << artifact.path;
    EXPECT_TRUE(has_header(artifact.content)) << artifact.path;
    EXPECT_TRUE(artifact.content.ends_with('\n')) << artifact.path;
    EXPECT_TRUE(paths.insert(artifact.path).second) << artifact.path << " is made twice";
  }
  EXPECT_EQ(paths, files_below(folder));
}

Options options_of(const project::Target& target) {
  Options options;
  options.tag = "v1.4.2";
  auto dev = target;
  dev.environment = "dev";
  dev.approval = project::Approval::automatic;
  options.environments = {dev, target};
  return options;
}

std::vector<std::string> paths_of(const std::vector<Artifact>& artifacts) {
  std::vector<std::string> paths;
  std::ranges::transform(artifacts, std::back_inserter(paths), &Artifact::path);
  return paths;
}

TEST(Artifacts, OfTheSmallestProject) {
  Options options;
  options.tag = "v1.0.0";
  expect_golden("mini", artifacts(tests::mini(), {}, {}, options));
}

TEST(Artifacts, OfAProjectWithEverything) {
  const auto target = tests::shop();
  expect_golden("shop", artifacts(target, tests::shop_inputs(), {}, options_of(target)));
}

TEST(Artifacts, OfAProjectOnGitHubsRegistryWithoutEnvironments) {
  auto target = tests::mini();
  target.registry = tests::at(std::string("ghcr.io/team"));
  target.ci = {.github = true, .gitlab = true};
  Options options;
  options.families = {Family::ci};
  expect_golden("ghcr", artifacts(target, {}, {}, options));
}

TEST(Artifacts, OfServicesThatListenOnTheSamePort) {
  auto target = tests::mini();
  target.services.push_back(tests::go_service("web"));
  target.services.push_back(tests::go_service("admin"));
  Options options;
  options.families = {Family::compose};
  expect_golden("same-port", artifacts(target, {}, {}, options));
}

TEST(Artifacts, WithCacheMountsForBuildKit) {
  auto target = tests::shop();
  target.services[0].build->platforms = {"linux/amd64", "linux/arm64"};
  auto options = options_of(target);
  options.families = {Family::dockerfile};
  options.cache_mounts = CacheMounts::yes;
  expect_golden("buildkit", artifacts(target, tests::shop_inputs(), {}, options));
}

TEST(Artifacts, AreTheSameEveryTime) {
  const auto target = tests::shop();
  const auto first = artifacts(target, tests::shop_inputs(), {}, options_of(target));
  const auto second = artifacts(target, tests::shop_inputs(), {}, options_of(target));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST(Artifacts, ServicesThatShareAFolderHaveTheirDockerfilesApart) {
  auto target = tests::mini();
  target.services.push_back(tests::go_service("jobs"));
  Options options;
  options.families = {Family::dockerfile};
  const auto made = artifacts(target, {}, {}, options);
  ASSERT_TRUE(made);
  EXPECT_THAT(paths_of(*made),
              ElementsAre(".dockerignore", "deploy/docker/api.Dockerfile", "deploy/docker/jobs.Dockerfile"));
}

TEST(Artifacts, ADockerfileOfTheUsersIsLeftAlone) {
  auto target = tests::mini();
  target.services[0].build->dockerfile = tests::at(std::string("Dockerfile"));
  Options options;
  options.families = {Family::dockerfile};
  const auto made = artifacts(target, {}, {}, options);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->empty());
}

TEST(Artifacts, AStackWithoutTemplateIsAnErrorWithAdvice) {
  auto target = tests::mini();
  target.services[0].build->stack = project::Stack::node;
  const auto made = artifacts(target, {}, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "there is no Dockerfile template for stack 'node' of service 'api'");
  EXPECT_EQ(made.error().hint, "write a Dockerfile and name it as build.dockerfile");
}

TEST(Artifacts, HoldNoValueOfASecretsSource) {
  // The names of sources are there; values never reach generation, and no file says otherwise.
  const auto target = tests::shop();
  const auto made = artifacts(target, tests::shop_inputs(), {}, options_of(target));
  ASSERT_TRUE(made);
  for (const auto& artifact : *made) {
    EXPECT_EQ(artifact.content.find("kind: Secret\n"), std::string::npos) << artifact.path;
  }
}

}  // namespace
}  // namespace deployctl::generate
