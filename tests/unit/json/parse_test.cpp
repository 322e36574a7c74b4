#include "core/json/value.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::json {
namespace {

std::string error_of(std::string_view text, ParseLimits limits = {}) {
  const auto parsed = parse(text, "the answer", limits);
  return parsed ? "" : parsed.error().message;
}

TEST(Parse, keeps_members_in_the_order_they_were_given) {
  const auto parsed = parse(R"({"b":1,"a":{"d":[true,null,1.5,"x"],"c":-3}})", "the answer");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_compact_text(*parsed), R"({"b":1,"a":{"d":[true,null,1.5,"x"],"c":-3}})");
}

TEST(Parse, takes_a_document_that_is_a_single_scalar) {
  const auto parsed = parse(" \"x\" ", "the answer");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, Value("x"));
}

TEST(Parse, keeps_large_whole_numbers_exactly) {
  const auto parsed = parse("[9223372036854775807,18446744073709551615,-9223372036854775808]", "the answer");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_compact_text(*parsed), "[9223372036854775807,18446744073709551615,-9223372036854775808]");
}

TEST(Parse, says_what_is_wrong_and_where) {
  struct Row {
    std::string_view text;
    std::string_view message;
  };
  constexpr std::string_view none_found = "the answer is not usable JSON: unexpected end of input at line 1, column 1";
  const Row rows[] = {
      {"", none_found},
      {"<html>", "the answer is not usable JSON: invalid literal at line 1, column 1"},
      {"{\"a\":1,\n}", "the answer is not usable JSON: unexpected '}' at line 2, column 1"},
      {"{} {}", "the answer is not usable JSON: unexpected '{' at line 1, column 4"},
      {R"({"a":1,"b":2,"a":3})", "the answer is not usable JSON: member 'a' is given twice"},
      {"[1e999]", "the answer is not usable JSON: it holds a number out of range"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(error_of(row.text).substr(0, row.message.size()), row.message) << row.text;
  }
}

TEST(Parse, never_quotes_what_it_read_last) {
  EXPECT_EQ(error_of(R"({"token":"hunter2" oops)").find("hunter2"), std::string::npos);
}

TEST(Parse, refuses_invalid_utf8) {
  EXPECT_NE(error_of("\"\xC3(\""), "");
}

TEST(Parse, stops_at_the_depth_limit_without_using_the_stack) {
  const std::string deep(5'000'000, '[');
  EXPECT_EQ(error_of(deep), "the answer is not usable JSON: it is nested deeper than 128 levels");
  EXPECT_EQ(error_of("[[1]]", {.depth = 2}), "");
  EXPECT_EQ(error_of("[[[1]]]", {.depth = 2}), "the answer is not usable JSON: it is nested deeper than 2 levels");
}

TEST(Parse, refuses_a_text_past_the_size_limit_before_reading_it) {
  EXPECT_EQ(error_of(std::string(2048, ' '), {.bytes = 1024}), "the answer is 2.0 KiB long; at most 1.0 KiB are read");
}

TEST(Parse, takes_an_object_of_many_members_in_linear_time) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":{}";
  }
  const auto parsed = parse(text + "}", "the answer");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->size(), 200'000U);
}

}  // namespace
}  // namespace deployctl::json
