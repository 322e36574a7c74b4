#include "middleware/trace_id.hpp"

#include <gtest/gtest.h>

namespace middleware {
namespace {

TEST(Trace_id, of_a_client_is_taken_only_when_it_is_short_and_plain) {
  EXPECT_EQ(checked_trace_id("order-7_a.B"), "order-7_a.B");
  EXPECT_EQ(checked_trace_id(std::string(64, 'a')), std::string(64, 'a'));
  for (const auto& bad : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\r\nSet-Cookie: x"),
                          std::string("a\"b"), std::string("小")}) {
    EXPECT_EQ(checked_trace_id(bad), std::nullopt) << bad;
  }
}

TEST(Traceparent, gives_its_trace_id_when_it_is_valid) {
  const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  EXPECT_EQ(traceparent_trace_id("00-" + trace_id + "-00f067aa0ba902b7-01"), trace_id);
  EXPECT_EQ(traceparent_trace_id("cc-" + trace_id + "-00f067aa0ba902b7-01"), trace_id);
  EXPECT_EQ(traceparent_trace_id("cc-" + trace_id + "-00f067aa0ba902b7-01-what-comes-later"), trace_id);
}

TEST(Traceparent, is_refused_when_it_breaks_the_rules) {
  const char* rows[] = {
      "",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",       // no flags
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",     // short
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",    // version ff
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",    // no trace
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",    // no parent
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",    // upper case
      "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",    // not hexadecimal
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",  // version 00 has no more
      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",  // no dash before what comes later
      "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
  };
  for (const char* row : rows) {
    EXPECT_EQ(traceparent_trace_id(row), std::nullopt) << row;
  }
}

TEST(Trace_id, that_is_made_is_hexadecimal_and_new_each_time) {
  const auto id = made_trace_id();
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(made_trace_id(), id);
}

}  // namespace
}  // namespace middleware
