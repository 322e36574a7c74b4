#include "core/base/diagnostic.hpp"

#include <gtest/gtest.h>

namespace deployctl::base {
namespace {

SourcePtr file(std::string text, std::string path = "deployctl.yaml") {
  return std::make_shared<SourceFile>(std::move(path), std::move(text));
}

TEST(Render, quotes_the_line_with_a_caret_and_the_hint_below) {
  const auto source = file("project: x\nservices:\n  api:\n    prot: 8080\n");
  EXPECT_EQ(render({Severity::error, {source, {4, 5}, 4}, "unknown key 'prot'", "did you mean 'port'?"}),
            "deployctl.yaml:4:5: error: unknown key 'prot'\n"
            "  4 |     prot: 8080\n"
            "    |     ^^^^\n"
            "  did you mean 'port'?\n");
}

TEST(Render, puts_the_caret_below_wide_characters) {
  const auto source = file("名字: 镜像服务 x\n");
  EXPECT_EQ(render({Severity::warning, {source, {1, 9}, 12}, "is no name", ""}),
            "deployctl.yaml:1:9: warning: is no name\n"
            "  1 | 名字: 镜像服务 x\n"
            "    |       ^^^^^^^^\n");
}

TEST(Render, keeps_the_caret_in_place_when_something_unprintable_stands_before_it) {
  const auto source = file("a: \x1b[2J\xFF x\n");
  EXPECT_EQ(render({Severity::error, {source, {1, 10}, 1}, "bad", ""}),
            "deployctl.yaml:1:10: error: bad\n"
            "  1 | a: \xEF\xBF\xBD[2J\xEF\xBF\xBD x\n"
            "    |          ^\n");
  const auto colored = file("a: \x1b[31mred x\n");
  EXPECT_EQ(render({Severity::error, {colored, {1, 13}, 1}, "bad", ""}),
            "deployctl.yaml:1:13: error: bad\n"
            "  1 | a: red x\n"
            "    |        ^\n");
}

TEST(Render, keeps_the_caret_in_place_behind_a_byte_order_mark) {
  const auto source = file(
      "\xEF\xBB\xBF"
      "ab: c\n");
  EXPECT_EQ(render({Severity::error, {source, {1, 8}, 1}, "bad", ""}),
            "deployctl.yaml:1:8: error: bad\n"
            "  1 | ab: c\n"
            "    |     ^\n");
}

TEST(Render, cuts_a_long_line_around_the_span) {
  const auto source = file(std::string(300, 'a') + "HERE" + std::string(300, 'b'));
  const auto text = render({Severity::error, {source, {1, 301}, 4}, "bad", ""});
  EXPECT_EQ(text, "deployctl.yaml:1:301: error: bad\n  1 | " + std::string(80, 'a') + "HERE" + std::string(76, 'b') +
                      "\n    | " + std::string(80, ' ') + "^^^^\n");
}

TEST(Render, shows_a_caret_at_least_one_wide_also_past_the_end_of_the_line) {
  const auto source = file("abc\n");
  EXPECT_EQ(render({Severity::error, {source, {1, 4}, 5}, "bad", ""}),
            "deployctl.yaml:1:4: error: bad\n  1 | abc\n    |    ^\n");
}

TEST(Render, survives_a_long_line_that_is_no_text_at_all) {
  const auto source = file(std::string(300, '\xA4'));
  EXPECT_NE(render({Severity::error, {source, {1, 200}, 1}, "bad", ""}).find('^'), std::string::npos);
}

TEST(Render, names_only_what_is_known) {
  EXPECT_EQ(render({Severity::error, {file("x"), {}, 1}, "too large", ""}), "deployctl.yaml: error: too large\n");
  EXPECT_EQ(render({Severity::error, {}, "no value", "give one"}), "error: no value\n  give one\n");
}

TEST(Diagnostics, are_sorted_by_place_and_not_repeated) {
  const auto source = file("a\nb\n");
  Diagnostics diagnostics;
  EXPECT_TRUE(diagnostics.empty());
  diagnostics.warning({source, {2, 1}, 1}, "second");
  EXPECT_FALSE(diagnostics.has_errors());
  diagnostics.error({source, {1, 3}, 1}, "first");
  diagnostics.error({source, {2, 1}, 1}, "third");
  Diagnostics more;
  more.error({source, {1, 3}, 1}, "first");
  more.error({}, "nowhere");
  diagnostics.append(std::move(more));
  EXPECT_TRUE(diagnostics.has_errors());
  std::string order;
  for (const auto& item : diagnostics.sorted()) {
    order += item.message + " ";
  }
  EXPECT_EQ(order, "nowhere first second third ");
}

TEST(Diagnostics, say_the_same_thing_once_even_when_another_stands_between) {
  const auto source = file("a\n");
  Diagnostics diagnostics;
  for (const auto* message : {"x", "y", "x"}) {
    diagnostics.error({source, {1, 1}, 1}, message);
  }
  EXPECT_EQ(diagnostics.sorted().size(), 2U);
}

}  // namespace
}  // namespace deployctl::base
