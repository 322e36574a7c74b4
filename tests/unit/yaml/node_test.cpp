#include "core/yaml/node.hpp"

#include <gtest/gtest.h>

namespace deployctl::yaml {
namespace {

Node plain(std::string text) {
  return {.kind = NodeKind::scalar, .span = {}, .scalar = std::move(text)};
}

Node quoted(std::string text) {
  return {.kind = NodeKind::scalar, .span = {}, .scalar = std::move(text), .is_quoted = true};
}

TEST(Scalar, means_what_the_core_schema_says) {
  for (const auto* text : {"", "~", "null", "Null", "NULL"}) {
    EXPECT_TRUE(is_null(plain(text))) << text;
    EXPECT_FALSE(is_null(quoted(text))) << text;
  }
  for (const auto* text : {"true", "True", "TRUE"}) {
    EXPECT_EQ(as_boolean(plain(text)), true) << text;
    EXPECT_EQ(as_boolean(quoted(text)), std::nullopt) << text;
  }
  for (const auto* text : {"false", "False", "FALSE"}) {
    EXPECT_EQ(as_boolean(plain(text)), false) << text;
  }
  for (const auto* text : {"no", "on", "y", "off", "tRUE", "nULL", "1"}) {
    EXPECT_EQ(as_boolean(plain(text)), std::nullopt) << text;
    EXPECT_FALSE(is_null(plain(text))) << text;
  }
}

TEST(Scalar, is_an_integer_only_when_every_reader_would_say_so) {
  struct Row {
    std::string text;
    std::optional<long long> number;
  };
  const Row rows[] = {
      {"0", 0},
      {"-7", -7},
      {"+7", 7},
      {"0x1F", 31},
      {"0o17", 15},
      {"9223372036854775807", 9223372036854775807LL},
      {"9223372036854775808", {}},
      {"012", {}},
      {"-012", {}},
      {"1_000", {}},
      {"1.0", {}},
      {"0x", {}},
      {"0x-1", {}},
      {"0o8", {}},
      {"", {}},
      {"+", {}},
      {"22:22", {}},
      {"1e3", {}},
      {" 1", {}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(as_integer(plain(row.text)), row.number) << row.text;
    EXPECT_EQ(as_integer(quoted(row.text)), std::nullopt) << row.text;
  }
}

TEST(Describe, says_in_words_what_a_node_is) {
  EXPECT_EQ(describe(Node{}), "nothing");
  EXPECT_EQ(describe(plain("~")), "nothing");
  EXPECT_EQ(describe(plain("x")), "text");
  EXPECT_EQ(describe(plain("no")), "text");
  EXPECT_EQ(describe(quoted("1")), "text");
  EXPECT_EQ(describe(plain("1")), "a number");
  EXPECT_EQ(describe(plain("1.5e3")), "a number");
  EXPECT_EQ(describe(plain("1.2.3")), "text");
  EXPECT_EQ(describe(plain("true")), "true or false");
  EXPECT_EQ(describe(Node{.kind = NodeKind::sequence}), "a list");
  EXPECT_EQ(describe(Node{.kind = NodeKind::mapping}), "a mapping");
}

}  // namespace
}  // namespace deployctl::yaml
