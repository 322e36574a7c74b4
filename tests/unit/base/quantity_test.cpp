#include "core/base/quantity.hpp"

#include <gtest/gtest.h>

namespace deployctl::base {
namespace {

TEST(Quantity, reads_every_suffix) {
  struct Row {
    std::string_view text;
    long long thousandths, units;
  };
  const Row rows[] = {{"0", 0, 0},
                      {"1", 1000, 1},
                      {"100m", 100, 1},
                      {"0.5", 500, 1},
                      {".5", 500, 1},
                      {"1.", 1000, 1},
                      {"1.5Gi", 1610612736000, 1610612736},
                      {"1Ki", 1024000, 1024},
                      {"128Mi", 134217728000, 134217728},
                      {"2k", 2000000, 2000},
                      {"3M", 3000000000, 3000000},
                      {"1G", 1000000000000, 1000000000},
                      {"1T", 1000000000000000, 1000000000000},
                      {"1P", 1000000000000000000, 1000000000000000},
                      {"1Ti", 1099511627776000, 1099511627776},
                      {"1Pi", 1125899906842624000, 1125899906842624},
                      {"0.0001", 1, 1},
                      {"1.5m", 2, 1},
                      {"0.1Mi", 104857600, 104858}};
  for (const auto& row : rows) {
    const auto quantity = Quantity::parse(row.text);
    ASSERT_TRUE(quantity) << row.text;
    EXPECT_EQ(quantity->text(), row.text);
    EXPECT_EQ(quantity->thousandths(), row.thousandths) << row.text;
    EXPECT_EQ(quantity->units(), row.units) << row.text;
  }
}

TEST(Quantity, refuses_everything_else_in_words) {
  for (const auto* text : {"", ".", "m", "Mi", "-1", "+1", "1 Mi", "1mi", "1KB", "1,5", "1.2.3", "1e3x",
                           "9223372036854775807", "10Pi0", "9007Pi", "9223P"}) {
    const auto quantity = Quantity::parse(text);
    ASSERT_FALSE(quantity) << text << " = " << quantity->thousandths();
    EXPECT_EQ(quantity.error().message, fmt::format("'{}' is not a quantity", text));
  }
}

TEST(Quantity, does_not_overflow_where_whole_and_fraction_meet) {
  EXPECT_TRUE(Quantity::parse("9223372036854775807m"));
  EXPECT_FALSE(Quantity::parse("9223372036854775807.9m"));
}

TEST(Quantity, compares_by_amount) {
  EXPECT_EQ(*Quantity::parse("1000m"), *Quantity::parse("1"));
  EXPECT_LT(*Quantity::parse("999Mi"), *Quantity::parse("1Gi"));
  EXPECT_GT(*Quantity::parse("1Mi"), *Quantity::parse("1M"));
}

}  // namespace
}  // namespace deployctl::base
