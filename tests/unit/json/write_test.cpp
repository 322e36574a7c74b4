#include "core/json/value.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::json {
namespace {

TEST(CompactText, escapes_what_a_yaml_reader_could_not_take_and_nothing_else) {
  struct Row {
    std::string text;
    std::string_view written;
  };
  const Row rows[] = {
      {"plain", R"("plain")"},
      {"a/b", R"("a/b")"},
      {"say \"hi\" \\", R"("say \"hi\" \\")"},
      {"\n\r\t", R"("\n\r\t")"},
      {std::string("\0\b\x1b", 3), R"("\u0000\u0008\u001b")"},
      {"\x7f", R"("\u007f")"},
      {"\xC2\x85 \xE2\x80\xA8", R"("\u0085 \u2028")"},
      {"镜像 😀", R"("镜像 😀")"},
      {"bad \xFF\xC3 end", "\"bad \xEF\xBF\xBD\xEF\xBF\xBD end\""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(to_compact_text(row.text), row.written);
  }
}

TEST(CompactText, writes_every_kind_of_value) {
  EXPECT_EQ(to_compact_text(Value::parse(R"({ "a": [ 1, -2, 2.5, true, null, "" ], "b": {}, "c": [] })")),
            R"({"a":[1,-2,2.5,true,null,""],"b":{},"c":[]})");
}

TEST(PrettyText, indents_by_two_and_ends_in_a_line_feed) {
  EXPECT_EQ(to_pretty_text(Value::parse(R"({"a":[1,{"b":2}],"c":{}})")),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": {}\n}\n");
}

TEST(CanonicalText, is_the_same_for_equal_values) {
  EXPECT_EQ(to_canonical_text(Value::parse(R"({"b":1,"a":{"z":1,"y":2}})")),
            to_canonical_text(Value::parse(R"({"a":{"y":2,"z":1},"b":1})")));
  EXPECT_EQ(to_canonical_text(Value::parse(R"({"b":1,"a":[2,1]})")), R"({"a":[2,1],"b":1})");
}

}  // namespace
}  // namespace deployctl::json
