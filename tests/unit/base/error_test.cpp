#include "core/base/result.hpp"

#include <gtest/gtest.h>

namespace deployctl::base {
namespace {

TEST(Error, reads_from_the_outside_in) {
  const auto error =
      Error::unreachable("connection {}", "refused").within("uploading layer {}", 2).within("pushing {}", "a/b");
  EXPECT_EQ(to_string(error), "pushing a/b: uploading layer 2: connection refused");
}

TEST(Error, keeps_the_first_and_most_specific_hint) {
  const auto error = Error::failed("no").with_hint("special").with_hint("general");
  EXPECT_EQ(error.hint, "special");
}

TEST(Error, does_not_take_braces_in_values_for_its_format) {
  EXPECT_EQ(to_string(Error::failed("{}", "{x} {").within("{}", "{}")), "{}: {x} {");
}

TEST(ErrorCode, has_a_word_and_an_exit_code) {
  struct Row {
    ErrorCode code;
    std::string_view word;
    int exit;
  };
  const Row rows[] = {{ErrorCode::failed, "failed", 1},
                      {ErrorCode::usage, "usage", 2},
                      {ErrorCode::invalid_input, "invalid_input", 3},
                      {ErrorCode::differences, "differences", 4},
                      {ErrorCode::rollout_failed, "rollout_failed", 5},
                      {ErrorCode::rollout_undecided, "rollout_undecided", 6},
                      {ErrorCode::refused, "refused", 7},
                      {ErrorCode::unauthorized, "unauthorized", 8},
                      {ErrorCode::unreachable, "unreachable", 9},
                      {ErrorCode::undo_failed, "undo_failed", 10},
                      {ErrorCode::interrupted, "interrupted", 130},
                      {ErrorCode::not_found, "not_found", 1},
                      {ErrorCode::conflict, "conflict", 1}};
  for (const auto& row : rows) {
    EXPECT_EQ(to_string(row.code), row.word);
    EXPECT_EQ(exit_code(row.code), row.exit) << row.word;
  }
}

TEST(Result, holds_a_value_or_an_error) {
  const Result<std::string> good = std::string("x");
  const Result<std::string> bad = Error::failed("no");
  EXPECT_TRUE(good);
  EXPECT_EQ(*good, "x");
  EXPECT_EQ(good->size(), 1U);
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "no");
  EXPECT_TRUE(Status());
  EXPECT_FALSE(Status(Error::interrupted()));
}

}  // namespace
}  // namespace deployctl::base
