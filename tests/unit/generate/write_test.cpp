#include "core/generate/write.hpp"

#include "tests/unit/generate/memory_files.hpp"
#include "tests/unit/generate/sample.hpp"

#include <gmock/gmock.h>

namespace deployctl::generate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tests::MemoryFiles;

std::string ours(const std::string& text) {
  return header_line("deployctl.yaml") + "\n" + text;
}

std::vector<Artifact> two_files() {
  return {{.family = Family::compose, .path = "compose.yaml", .content = ours("a\n")},
          {.family = Family::kubernetes, .path = "deploy/kubernetes/base/api.yaml", .content = ours("b\n")}};
}

MemoryFiles empty_project() {
  MemoryFiles files;
  files.put("/p/deployctl.yaml", "project: x\n");
  return files;
}

std::vector<std::string> states(const base::Result<std::vector<Comparison>>& comparisons) {
  std::vector<std::string> words;
  for (const auto& comparison : *comparisons) {
    words.push_back(comparison.path + " " + std::string(to_string(comparison.state)));
  }
  return words;
}

TEST(Compare, TellsMissingSameDifferentAndForeign) {
  auto files = empty_project();
  auto artifacts = two_files();
  EXPECT_THAT(states(compare(artifacts, "/p", files)),
              ElementsAre("compose.yaml missing", "deploy/kubernetes/base/api.yaml missing"));
  files.put("/p/compose.yaml", ours("a\n"));
  files.put("/p/deploy/kubernetes/base/api.yaml", ours("old\n"));
  EXPECT_THAT(states(compare(artifacts, "/p", files)),
              ElementsAre("compose.yaml same", "deploy/kubernetes/base/api.yaml different"));
  files.put("/p/compose.yaml", "services: {}\n");
  const auto comparisons = compare(artifacts, "/p", files);
  EXPECT_THAT(states(comparisons), ElementsAre("compose.yaml foreign", "deploy/kubernetes/base/api.yaml different"));
  EXPECT_THAT((*comparisons)[1].diff, testing::HasSubstr("-old\n+b\n"));
}

TEST(Compare, RefusesSymbolicLinksAndPathsThatLeaveTheProject) {
  auto files = empty_project();
  files.put("/etc/passwd", "root");
  files.put("/outside/file", "x");
  files.link("/p/compose.yaml", "/etc/passwd");
  EXPECT_EQ(compare(two_files(), "/p", files).error().message,
            "compose.yaml is a symbolic link; generated files are written to real folders only");
  files.link("/p/deploy", "/outside");
  const std::vector<Artifact> below{{.family = Family::kubernetes, .path = "deploy/kubernetes/x.yaml", .content = "x"}};
  EXPECT_EQ(compare(below, "/p", files).error().message,
            "deploy is a symbolic link; generated files are written to real folders only");
  for (const auto* path : {"../x", "/etc/passwd", "a//b", "a/../../b", ""}) {
    const std::vector<Artifact> outside{{.family = Family::compose, .path = path, .content = "x"}};
    EXPECT_EQ(compare(outside, "/p", files).error().code, base::ErrorCode::refused) << path;
  }
}

TEST(Compare, AProjectReachedThroughALinkIsFine) {
  auto files = empty_project();
  files.link("/link", "/p");
  EXPECT_THAT(states(compare(two_files(), "/link", files)),
              ElementsAre("compose.yaml missing", "deploy/kubernetes/base/api.yaml missing"));
}

TEST(Write, WritesWhatDiffersAndNothingElse) {
  auto files = empty_project();
  files.put("/p/compose.yaml", ours("a\n"));
  const auto written = write(two_files(), "/p", files);
  ASSERT_TRUE(written);
  EXPECT_THAT(written->written, ElementsAre("deploy/kubernetes/base/api.yaml"));
  EXPECT_THAT(written->unchanged, ElementsAre("compose.yaml"));
  EXPECT_EQ(files.all().at("/p/deploy/kubernetes/base/api.yaml"), ours("b\n"));
}

TEST(Write, RefusesToOverwriteTheUsersFilesUnlessForced) {
  auto files = empty_project();
  files.put("/p/compose.yaml", "mine\n");
  const auto refused = write(two_files(), "/p", files);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::refused);
  EXPECT_EQ(refused.error().message, "compose.yaml was not made by deployctl and would be overwritten");
  EXPECT_EQ(refused.error().hint, "move it away, or use --force");
  EXPECT_FALSE(files.all().contains("/p/deploy/kubernetes/base/api.yaml")) << "nothing is written when one is refused";
  ASSERT_TRUE(write(two_files(), "/p", files, Force::yes));
  EXPECT_EQ(files.all().at("/p/compose.yaml"), ours("a\n"));
}

TEST(Stale, AreOurFilesThatNothingGivesAnyMore) {
  const auto target = tests::shop();
  auto files = empty_project();
  files.put("/p/deploy/kubernetes/prod/api.yaml", ours("kept\n"));
  files.put("/p/deploy/kubernetes/prod/gone.yaml", ours("service was removed\n"));
  files.put("/p/deploy/kubernetes/prod/own.yaml", "the user's\n");
  files.put("/p/deploy/kubernetes/dev/other.yaml", ours("another environment's\n"));
  files.put("/p/deploy/kubernetes/old/api.yaml", ours("environment was removed\n"));
  files.put("/p/deploy/docker/gone.Dockerfile", ours("x\n"));
  files.put("/p/services/worker/Dockerfile", ours("moved\n"));
  files.put("/p/compose.yaml", "the user's\n");
  const std::vector<Artifact> made{
      {.family = Family::kubernetes, .path = "deploy/kubernetes/prod/api.yaml", .content = "x"}};
  EXPECT_THAT(states(stale(target, made, {}, "/p", files)),
              ElementsAre("deploy/docker/gone.Dockerfile stale", "deploy/kubernetes/old/api.yaml stale",
                          "deploy/kubernetes/prod/gone.yaml stale", "services/worker/Dockerfile stale"));
  const std::vector<Family> only_compose{Family::compose};
  EXPECT_THAT(states(stale(target, {}, only_compose, "/p", files)), IsEmpty());
}

}  // namespace
}  // namespace deployctl::generate
