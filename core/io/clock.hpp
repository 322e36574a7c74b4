// Time, read through an interface so that tests decide it.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::io {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime now() const = 0;
  [[nodiscard]] virtual SteadyTime steady_now() const = 0;
  // Waits; false when `stop` was requested before the time was over.
  virtual bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) = 0;
};

// RFC 3339 in UTC: "2026-11-21T08:53:00Z"; the second form with milliseconds.
std::string to_rfc3339(WallTime time);
std::string to_rfc3339_millis(WallTime time);

// RFC 3339 with any fraction and offset: "2026-11-21T08:53:00Z", "2026-11-21T09:53:00.5+01:00". Nothing otherwise.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace deployctl::io
