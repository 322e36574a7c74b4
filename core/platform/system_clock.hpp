// The machine's clocks.
#pragma once

#include "core/io/clock.hpp"

namespace deployctl::platform {

class SystemClock : public io::Clock {
 public:
  [[nodiscard]] io::WallTime now() const override;
  [[nodiscard]] io::SteadyTime steady_now() const override;
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) override;
};

}  // namespace deployctl::platform
