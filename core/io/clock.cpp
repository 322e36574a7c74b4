#include "core/io/clock.hpp"

#include <fmt/core.h>

namespace deployctl::io {
namespace {

// "2026-11-21T08:53:00", and the milliseconds that remain.
std::pair<std::string, long long> seconds_and_rest(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                          clock.minutes().count(), clock.seconds().count());
  return {std::move(text), clock.subseconds().count()};
}

}  // namespace

std::string to_rfc3339(WallTime time) {
  return seconds_and_rest(time).first + "Z";
}

std::string to_rfc3339_millis(WallTime time) {
  const auto [seconds, rest] = seconds_and_rest(time);
  return fmt::format("{}.{:03}Z", seconds, rest);
}

}  // namespace deployctl::io
