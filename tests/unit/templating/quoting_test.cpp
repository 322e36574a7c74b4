#include "core/templating/quoting.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace deployctl::templating {
namespace {

std::string text_of(const base::Result<std::string>& result) {
  return result ? *result : "error: " + result.error().message;
}

TEST(Quoting, DockerfileWordsKeepEveryByteThatCanStandThere) {
  const std::pair<std::string, std::string> rows[] = {
      {"plain", R"("plain")"},
      {"", R"("")"},
      {"two words", R"("two words")"},
      {"$HOME ${X:-y}", R"("\$HOME \${X:-y}")"},
      {R"(back\slash)", R"("back\\slash")"},
      {R"(say "hi" 'you')", R"("say \"hi\" 'you'")"},
      {R"(ends in \)", R"("ends in \\")"},
      {"# no comment", R"("# no comment")"},
  };
  for (const auto& [text, quoted] : rows) {
    EXPECT_EQ(text_of(dockerfile_word(text)), quoted);
  }
}

TEST(Quoting, DockerfileWordsRefuseLineBreaksAndNul) {
  for (const auto& text : {std::string("a\nUSER root"), std::string("a\rb"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(dockerfile_word(text)) << text;
  }
  EXPECT_EQ(text_of(dockerfile_word("a\nb")),
            "error: 'a\xEF\xBF\xBD"
            "b' cannot stand in a Dockerfile: it holds a line break or a NUL byte");
}

TEST(Quoting, ExecFormsAreJsonOnOneLine) {
  EXPECT_EQ(text_of(dockerfile_exec(std::vector<std::string>{"/app", "serve"})), R"(["/app", "serve"])");
  EXPECT_EQ(text_of(dockerfile_exec(std::vector<std::string>{"a\nUSER root", "\"", "\\", "$X"})),
            R"(["a\nUSER root", "\"", "\\", "$X"])");
  EXPECT_EQ(text_of(dockerfile_exec(std::vector<std::string>{R"(",")"})), R"(["\",\""])");
  EXPECT_FALSE(dockerfile_exec(std::vector<std::string>{std::string("\0", 1)}));
}

TEST(Quoting, ShellWordsAreSingleQuotedWhereSomethingIsSpecial) {
  EXPECT_EQ(text_of(shell_word("./cmd/api")), "./cmd/api");
  EXPECT_EQ(text_of(shell_word("")), "''");
  EXPECT_EQ(text_of(shell_word("a b; $(id) `id` \"x\"")), "'a b; $(id) `id` \"x\"'");
  EXPECT_EQ(text_of(shell_word("it's")), R"('it'\''s')");
  EXPECT_EQ(text_of(shell_word("~root")), "'~root'");
  EXPECT_FALSE(shell_word(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace deployctl::templating
