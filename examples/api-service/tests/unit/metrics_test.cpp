#include "metrics/metrics.hpp"

#include <gtest/gtest.h>

namespace metrics {
namespace {

TEST(Counter, is_written_with_one_line_for_each_set_of_labels) {
  Counter counter("things_total", "Things seen.", {"kind", "size"});
  counter.add({"a", "1"});
  counter.add({"b", "1"});
  counter.add({"a", "1"});
  EXPECT_EQ(counter.text(),
            "# HELP things_total Things seen.\n"
            "# TYPE things_total counter\n"
            "things_total{kind=\"a\",size=\"1\"} 2\n"
            "things_total{kind=\"b\",size=\"1\"} 1\n");
}

TEST(Counter, escapes_what_would_break_a_label) {
  Counter counter("things_total", "Things seen.", {"kind"});
  counter.add({"a\"b\\c\nd"});
  EXPECT_NE(counter.text().find(R"(things_total{kind="a\"b\\c\nd"} 1)"), std::string::npos) << counter.text();
}

TEST(Histogram, counts_into_cumulative_buckets_whose_bounds_belong_to_them) {
  Histogram histogram("wait_seconds", "Waiting.", {"route"}, {0.5, 1, 2.5});
  for (const double amount : {0.25, 0.5, 1.0, 2.0, 4.0}) {
    histogram.observe({"/"}, amount);
  }
  EXPECT_EQ(histogram.text(),
            "# HELP wait_seconds Waiting.\n"
            "# TYPE wait_seconds histogram\n"
            "wait_seconds_bucket{route=\"/\",le=\"0.5\"} 2\n"
            "wait_seconds_bucket{route=\"/\",le=\"1\"} 3\n"
            "wait_seconds_bucket{route=\"/\",le=\"2.5\"} 4\n"
            "wait_seconds_bucket{route=\"/\",le=\"+Inf\"} 5\n"
            "wait_seconds_sum{route=\"/\"} 7.75\n"
            "wait_seconds_count{route=\"/\"} 5\n");
}

TEST(Gauge, goes_up_and_down) {
  Gauge gauge("in_flight", "Now.");
  gauge.add(2);
  gauge.add(-1);
  EXPECT_EQ(gauge.text(), "# HELP in_flight Now.\n# TYPE in_flight gauge\nin_flight 1\n");
}

TEST(Metrics, keep_the_number_of_series_small_whatever_clients_send) {
  Metrics metrics("1.2.3", "abc");
  metrics.observe_request("BREW", "", 404, std::chrono::milliseconds(1));
  metrics.observe_request("STEEP", "", 404, std::chrono::milliseconds(1));
  const auto text = metrics.text();
  EXPECT_NE(text.find("http_requests_total{method=\"OTHER\",route=\"unmatched\",status=\"404\"} 2\n"),
            std::string::npos);
  EXPECT_EQ(text.find("BREW"), std::string::npos);
}

TEST(Metrics, say_what_is_running) {
  const Metrics metrics("1.2.3", "abc");
  EXPECT_NE(metrics.text().find("app_build_info{version=\"1.2.3\",commit=\"abc\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace metrics
