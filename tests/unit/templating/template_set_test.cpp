#include "core/templating/template_set.hpp"

#include "tests/unit/generate/memory_files.hpp"

#include <gmock/gmock.h>

namespace deployctl::templating {
namespace {

using testing::ElementsAre;

TEST(TemplateSet, HoldsTheFilesOfTheTemplatesFolder) {
  EXPECT_THAT(TemplateSet::names(), ElementsAre("ci/github.yml", "ci/gitlab.yml", "dockerfile/cpp.Dockerfile",
                                                "dockerfile/go.Dockerfile", "dockerignore"));
  EXPECT_TRUE(TemplateSet().text("dockerignore").starts_with("{{header}}\n"));
}

TEST(TemplateSet, AProjectReplacesTemplatesByItsOwn) {
  tests::MemoryFiles files;
  files.put("/p/.deployctl/templates/dockerfile/go.Dockerfile", "FROM {{base}}\n");
  const auto set = TemplateSet::load("/p", files);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->text("dockerfile/go.Dockerfile"), "FROM {{base}}\n");
  EXPECT_EQ(set->text("dockerignore"), TemplateSet().text("dockerignore"));
  EXPECT_EQ(*set->render("dockerfile/go.Dockerfile", {{"base", "golang"}}), "FROM golang\n");
  EXPECT_EQ(set->render("dockerfile/go.Dockerfile", {}).error().message,
            "template dockerfile/go.Dockerfile asks for 'base', which it is not given");
}

TEST(TemplateSet, RefusesAFileThatReplacesNothing) {
  tests::MemoryFiles files;
  files.put("/p/.deployctl/templates/dockerfile/go.Dockerfil", "FROM x\n");
  const auto set = TemplateSet::load("/p", files);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().message, ".deployctl/templates/dockerfile/go.Dockerfil replaces no template");
  EXPECT_EQ(set.error().hint, "did you mean 'dockerfile/go.Dockerfile'?");
}

TEST(TemplateSet, WithoutOverridesIsTheEmbeddedOne) {
  const tests::MemoryFiles files;
  ASSERT_TRUE(TemplateSet::load("/nowhere", files));
}

}  // namespace
}  // namespace deployctl::templating
