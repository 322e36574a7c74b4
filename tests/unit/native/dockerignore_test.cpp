#include "core/native/dockerignore.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::native {
namespace {

TEST(IgnoreRules, MatchAsDockerMatches) {
  const struct {
    std::string_view patterns;
    std::string_view path;
    bool leaves_out;
  } rows[] = {
      {"", "a", false},
      {"node_modules", "node_modules", true},
      {"node_modules", "node_modules/left-pad/index.js", true},
      {"node_modules", "web/node_modules", false},  // rooted, unlike git's
      {"**/node_modules", "web/node_modules/x", true},
      {"**/node_modules", "node_modules", true},
      {"/dist", "dist/a", true},
      {"./dist/", "dist/a", true},
      {"*.log", "a.log", true},
      {"*.log", "logs/a.log", false},
      {"*/*.log", "logs/a.log", true},
      {"**/*.log", "a/b/c.log", true},
      {"**", "anything/at/all", true},
      {"docs/**", "docs/a/b", true},
      {"docs/**", "docs", false},
      {"docs/**/draft", "docs/draft", true},
      {"docs/**/draft", "docs/a/b/draft/x", true},
      {"te?t", "test", true},
      {"te?t", "teest", false},
      {"te?t", "te/t", false},
      {"[a-c]x", "bx", true},
      {"[^a-c]x", "bx", false},
      {"[^a-c]x", "dx", true},
      {"[a", "a", false},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"# comment\n#a", "#a", false},
      {"  spaced  \r\n", "spaced", true},
      {"\xEF\xBB\xBFmarked", "marked", true},
      {"*.md\n!README.md", "README.md", false},
      {"*.md\n!README.md", "NEWS.md", true},
      {"!README.md\n*.md", "README.md", true},  // the last one decides
      {"build\n!build/keep", "build/keep", false},
      {"build\n!build/keep", "build/keep/deep", false},
      {"build\n!build/keep", "build/other", true},
      {"a/../b", "b", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(IgnoreRules::parse(row.patterns).leaves_out(row.path), row.leaves_out)
        << "'" << row.patterns << "' on " << row.path;
  }
}

TEST(IgnoreRules, DoNotCountAgainstWhatIsNamed) {
  const auto rules = IgnoreRules::parse("dist\n**/*.map\n.env");
  EXPECT_TRUE(rules.leaves_out("dist/app.js"));
  EXPECT_FALSE(rules.leaves_out("dist/app.js", "dist"));
  EXPECT_TRUE(rules.leaves_out("dist/app.map", "dist"));
}

TEST(IgnoreRules, KnowTheirExceptions) {
  EXPECT_FALSE(IgnoreRules::parse("a\nb").has_exceptions());
  const auto rules = IgnoreRules::parse("*\n!keys/test.pem");
  EXPECT_TRUE(rules.has_exceptions());
  EXPECT_TRUE(rules.takes_back("keys/test.pem"));
  EXPECT_FALSE(rules.takes_back("keys/live.pem"));
}

}  // namespace
}  // namespace deployctl::native
