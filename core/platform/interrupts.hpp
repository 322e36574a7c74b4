// SIGINT and SIGTERM as a stop request.
//
// The first signal requests a stop, so that work ends in order; a second one ends the process at once with 130.
#pragma once

#include <stop_token>
#include <thread>

namespace deployctl::platform {

// At most one exists at a time. While it lives, the two signals go to it; afterwards they act as before.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread waiter_;
};

}  // namespace deployctl::platform
