#include "core/base/duration.hpp"

#include <gtest/gtest.h>

namespace deployctl::base {
namespace {

TEST(ParseDuration, reads_numbers_with_units) {
  struct Row {
    std::string_view text;
    long long milliseconds;
    std::string_view canonical;
  };
  const Row rows[] = {{"0", 0, "0s"},
                      {"0s", 0, "0s"},
                      {"250ms", 250, "250ms"},
                      {"30s", 30'000, "30s"},
                      {"5m", 300'000, "5m"},
                      {"1h30m", 5'400'000, "1h30m"},
                      {"90m", 5'400'000, "1h30m"},
                      {"2d", 172'800'000, "2d"},
                      {"1m1ms", 60'001, "1m1ms"},
                      {"30m1h", 5'400'000, "1h30m"},
                      {"10000d", 864'000'000'000, "10000d"}};
  for (const auto& row : rows) {
    const auto duration = parse_duration(row.text);
    ASSERT_TRUE(duration) << row.text;
    EXPECT_EQ(duration->count(), row.milliseconds) << row.text;
    EXPECT_EQ(to_string(*duration), row.canonical);
    EXPECT_EQ(*parse_duration(to_string(*duration)), *duration);
  }
}

TEST(ParseDuration, refuses_everything_else_in_words) {
  for (const auto* text : {"", "5", "s", "m5", "-5s", "+5s", "1.5h", "5 m", " 5m", "5m ", "5M", "5min", "1us", "10001d",
                           "99999999999999999999s", "9223372036854775807d", "10000d1ms"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().message, fmt::format("'{}' is not a duration", text));
    EXPECT_EQ(duration.error().code, ErrorCode::invalid_input);
  }
}

TEST(HumanDuration, gets_coarser_as_it_gets_longer) {
  struct Row {
    long long milliseconds;
    std::string_view text;
  };
  const Row rows[] = {{0, "0.0s"},          {440, "0.4s"},        {9'949, "9.9s"},    {9'999, "9.9s"},
                      {10'000, "10s"},      {59'999, "59s"},      {60'000, "1m00s"},  {185'000, "3m05s"},
                      {3'600'000, "1h00m"}, {7'800'000, "2h10m"}, {172'800'000, "2d"}};
  for (const auto& row : rows) {
    EXPECT_EQ(human_duration(Milliseconds(row.milliseconds)), row.text) << row.milliseconds;
  }
}

}  // namespace
}  // namespace deployctl::base
