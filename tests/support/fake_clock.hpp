// A clock that moves only when somebody sleeps.
#pragma once

#include "core/io/clock.hpp"

#include <functional>
#include <mutex>
#include <vector>

namespace deployctl::tests {

class FakeClock final : public io::Clock {
 public:
  explicit FakeClock(io::WallTime start = io::WallTime(std::chrono::seconds(1'700'000'000))) : now_(start) {}

  [[nodiscard]] io::WallTime now() const override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }
  [[nodiscard]] io::SteadyTime steady_now() const override {
    return io::SteadyTime(std::chrono::duration_cast<io::SteadyTime::duration>(now().time_since_epoch()));
  }
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) override {
    if (stop.stop_requested()) {
      return false;
    }
    if (while_asleep) {
      while_asleep();
    }
    const std::scoped_lock lock(mutex_);
    now_ += duration;
    sleeps_.push_back(duration);
    return true;
  }
  // What others do during a sleep.
  std::function<void()> while_asleep;

  void advance(std::chrono::milliseconds duration) {
    const std::scoped_lock lock(mutex_);
    now_ += duration;
  }
  [[nodiscard]] std::vector<std::chrono::milliseconds> sleeps() const {
    const std::scoped_lock lock(mutex_);
    return sleeps_;
  }

 private:
  mutable std::mutex mutex_;
  io::WallTime now_;
  std::vector<std::chrono::milliseconds> sleeps_;
};

}  // namespace deployctl::tests
