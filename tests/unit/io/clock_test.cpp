#include "core/io/clock.hpp"

#include <gtest/gtest.h>

namespace deployctl::io {
namespace {

WallTime at_millisecond(long long count) {
  return WallTime(std::chrono::milliseconds(count));
}

TEST(Rfc3339, is_utc_with_leading_zeros) {
  EXPECT_EQ(to_rfc3339(at_millisecond(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(at_millisecond(1'709'208'005'999)), "2024-02-29T12:00:05Z");
  EXPECT_EQ(to_rfc3339_millis(at_millisecond(1'709'208'005'007)), "2024-02-29T12:00:05.007Z");
}

TEST(Rfc3339, holds_before_the_epoch) {
  EXPECT_EQ(to_rfc3339_millis(at_millisecond(-1)), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace deployctl::io
