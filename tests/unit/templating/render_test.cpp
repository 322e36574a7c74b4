#include "core/templating/render.hpp"

#include <gtest/gtest.h>

namespace deployctl::templating {
namespace {

std::string rendered(std::string_view text, const Values& values) {
  const auto result = render("sample", text, values);
  return result ? *result : "error: " + result.error().message;
}

TEST(Render, PutsValuesInAsTheyAre) {
  EXPECT_EQ(rendered("a {{x}} b\n", {{"x", "<&\"'$>"}}), "a <&\"'$> b\n");
  EXPECT_EQ(rendered("{{x}}", {{"x", "{{y}}"}}), "{{y}}");
}

TEST(Render, RepeatsSectionsForListsAndDropsTheirOwnLines) {
  const Values values{{"items", std::vector<Values>{{{"n", "1"}}, {{"n", "2"}}}}, {"on", true}, {"off", false}};
  EXPECT_EQ(rendered("a\n{{#items}}\n- {{n}}\n{{/items}}\nz\n", values), "a\n- 1\n- 2\nz\n");
  EXPECT_EQ(rendered("{{#on}}\nyes\n{{/on}}\n{{#off}}\nno\n{{/off}}\n{{^off}}\nnot\n{{/off}}\n", values), "yes\nnot\n");
}

TEST(Render, KeepsBlankLinesOfTheText) {
  const Values values{{"on", true}, {"off", false}};
  EXPECT_EQ(rendered("a\n{{#on}}\n\nb\n{{/on}}\n\nc\n", values), "a\n\nb\n\nc\n");
  EXPECT_EQ(rendered("a\n{{#off}}\n\nb\n{{/off}}\nc", values), "a\nc");
  EXPECT_EQ(rendered("{{=<% %>=}}a\n  <%#off%>\nx\n  <%/off%>\n<%! why %>\nb\n", values), "a\nb\n");
}

TEST(Render, RefusesValuesWithControlCharactersItUsesItself) {
  EXPECT_EQ(rendered("{{x}}", {{"x",
                                "a\x01"
                                "b"}}),
            "error: template sample is given a control character");
  EXPECT_FALSE(render("sample", "{{#l}}{{x}}{{/l}}", {{"l", std::vector<Values>{{{"x", "\x01"}}}}}));
}

TEST(Render, KeepsGitHubExpressionsUnderOtherDelimiters) {
  EXPECT_EQ(rendered("{{=<% %>=}}<%x%>: ${{ secrets.A }}\n", {{"x", "v"}}), "v: ${{ secrets.A }}\n");
}

TEST(Render, RefusesNamesItIsNotGiven) {
  EXPECT_EQ(rendered("{{x}} {{y}} {{#z}}{{/z}}", {{"x", "1"}}),
            "error: template sample asks for 'y', 'z', which it is not given");
  EXPECT_EQ(rendered("{{> other}}", {{"other", "text"}}),
            "error: template sample asks for 'other', which it is not given");
}

TEST(Render, RefusesTemplatesThatDoNotParse) {
  EXPECT_EQ(rendered("{{#a}}", {{"a", true}}), "error: template sample: unclosed section \"a\" at 0");
  EXPECT_EQ(rendered("{{/a}}", {}), "error: template sample: unopened section \"a\" at 0");
  EXPECT_FALSE(render("sample", "text {{", {}));
}

}  // namespace
}  // namespace deployctl::templating
