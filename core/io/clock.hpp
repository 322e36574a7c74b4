// Time, read through an interface so that tests decide it.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

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

}  // namespace deployctl::io
