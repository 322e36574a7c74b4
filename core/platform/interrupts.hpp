// SIGINT, SIGTERM and SIGHUP (the terminal has gone) as a stop request.
//
// The first signal requests a stop, so that work ends in order; a second one ends the process at once with 130. What
// comes right after the first is the same one once more: a terminal and a parent process may both pass one Ctrl-C on.
#pragma once

#include <chrono>
#include <stop_token>
#include <thread>

namespace deployctl::platform {

// At most one exists at a time. While it lives, the signals go to it; afterwards they act as before.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  static constexpr std::chrono::milliseconds same_press{300};

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread waiter_;
};

}  // namespace deployctl::platform
