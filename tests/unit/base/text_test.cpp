#include "core/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::base {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Split, keeps_empty_parts) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split_once("a=b=c", '='), Pair("a", "b=c"));
  EXPECT_THAT(split_once("abc", '='), Pair("abc", ""));
}

TEST(Trim, takes_white_space_from_both_ends) {
  EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim("  "), "");
}

TEST(Join, puts_the_separator_between) {
  EXPECT_EQ(join(std::vector<std::string>{"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join(std::vector<std::string>{"a"}, ", "), "a");
  EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
}

TEST(ReplaceAll, does_not_look_at_what_it_put_in) {
  EXPECT_EQ(replace_all("aXbX", "X", "XX"), "aXXbXX");
  EXPECT_EQ(replace_all("abc", "abc", ""), "");
  EXPECT_EQ(replace_all("abc", "", "x"), "abc");
}

TEST(Case, is_that_of_ascii_only) {
  EXPECT_EQ(to_lower("AbC-É"), "abc-É");
  EXPECT_TRUE(equals_ignoring_case("Bearer", "bEARER"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
}

TEST(ParseInteger, takes_whole_decimal_numbers_only) {
  EXPECT_EQ(parse_integer("42"), 42);
  EXPECT_EQ(parse_integer("-7"), -7);
  EXPECT_EQ(parse_integer("9223372036854775807"), 9223372036854775807LL);
  for (const auto* text : {"", " 1", "1 ", "+1", "0x1", "1.0", "9223372036854775808", "--1", "1a"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(Nearest, finds_slips_of_the_hand_and_nothing_far_fetched) {
  const std::vector<std::string> keys{"port", "ports", "image", "replicas", "env", "environments", "health"};
  struct Row {
    std::string_view word, suggestion;
  };
  const Row rows[] = {{"prot", "did you mean 'port'?"},
                      {"Port", "did you mean 'port'?"},
                      {"replica", "did you mean 'replicas'?"},
                      {"enviroments", "did you mean 'environments'?"},
                      {"evn", "did you mean 'env'?"},
                      {"heatlh", "did you mean 'health'?"},
                      {"volume", ""},
                      {"x", ""},
                      {"", ""}};
  for (const auto& row : rows) {
    EXPECT_EQ(did_you_mean(row.word, keys), row.suggestion) << row.word;
  }
}

TEST(DnsLabel, follows_rfc_1123) {
  for (const auto& text : {std::string("a"), std::string("api-2"), std::string("0"), std::string(63, 'a')}) {
    EXPECT_TRUE(is_dns_label(text)) << text;
  }
  for (const auto& text : {std::string(), std::string("-a"), std::string("a-"), std::string("A"), std::string("a_b"),
                           std::string("a.b"), std::string(64, 'a'), std::string("ä")}) {
    EXPECT_FALSE(is_dns_label(text)) << text;
  }
}

TEST(Utf8, is_checked_strictly) {
  for (const auto* text : {"", "a", "é", "镜像", "😀", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const auto* text : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                           "\xF8\x88\x80\x80\x80", "\xFF", "\xE9\x95", "a\xC3("}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8Boundary, never_cuts_a_character) {
  const std::string_view text = "a镜b";
  EXPECT_EQ(utf8_boundary(text, 0), 0U);
  EXPECT_EQ(utf8_boundary(text, 1), 1U);
  EXPECT_EQ(utf8_boundary(text, 2), 1U);
  EXPECT_EQ(utf8_boundary(text, 3), 1U);
  EXPECT_EQ(utf8_boundary(text, 4), 4U);
  EXPECT_EQ(utf8_boundary(text, 99), 5U);
  EXPECT_EQ(utf8_boundary(std::string(100, '\xA4'), 50), 50U);
}

TEST(DisplayWidth, counts_terminal_cells) {
  struct Row {
    std::string_view text;
    std::size_t cells;
  };
  const Row rows[] = {{"", 0},
                      {"abc", 3},
                      {"镜像", 4},
                      {"é", 1},
                      {"e\xCC\x81", 1},
                      {"😀", 2},
                      {"ｱ", 1},
                      {"Ａ", 2},
                      {"✓", 1},
                      {"…", 1},
                      {"한글", 4},
                      {"\xFF", 1},
                      {"\xEF\xBB\xBF"
                       "a",
                       1}};
  for (const auto& row : rows) {
    EXPECT_EQ(display_width(row.text), row.cells) << row.text;
  }
}

TEST(Printable, lets_nothing_through_that_moves_a_cursor) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(printable("plain 镜像 😀"), "plain 镜像 😀");
  EXPECT_EQ(printable("a\tb"), "a b");
  EXPECT_EQ(printable("a\nb\r"), "a" + mark + "b" + mark);
  EXPECT_EQ(printable("\x1b[1;31mred\x1b[0m\x1b[m"), "red");
  EXPECT_EQ(printable("\x1b[2J\x1b]0;title\x07"), mark + "[2J" + mark + "]0;title" + mark);
  EXPECT_EQ(printable("\x1b["), mark + "[");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            mark + "31m");
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b"),
            "a" + mark + "b");
  EXPECT_EQ(printable("\xFF\x7F"), mark + mark);
  EXPECT_EQ(printable(std::string_view("\0", 1)), mark);
}

TEST(Base64, goes_both_ways) {
  struct Row {
    std::string_view bytes, text;
  };
  const Row rows[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xFB\xFF", "+/8="}};
  for (const auto& row : rows) {
    EXPECT_EQ(base64_encode(row.bytes), row.text);
    EXPECT_EQ(base64_decode(row.text), row.bytes) << row.text;
  }
}

TEST(Base64, is_read_generously_but_not_wrongly) {
  EXPECT_EQ(base64_decode("Zm9v\nYg"), "foob");
  EXPECT_EQ(base64_decode("-_8"), "\xFB\xFF");
  for (const auto* text : {"Z", "Zm9v!", "Zg==Zg==", "Zg=x", "=", "Zg===", "Zm9vY"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(HumanBytes, uses_binary_units) {
  struct Row {
    unsigned long long bytes;
    std::string_view text;
  };
  const Row rows[] = {{0, "0 B"},           {1023, "1023 B"},         {1024, "1.0 KiB"},        {1258291, "1.2 MiB"},
                      {1048575, "1.0 MiB"}, {1ULL << 40U, "1.0 TiB"}, {~0ULL, "16777216.0 TiB"}};
  for (const auto& row : rows) {
    EXPECT_EQ(human_bytes(row.bytes), row.text);
  }
}

}  // namespace
}  // namespace deployctl::base
