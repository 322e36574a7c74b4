// A signal handler may do next to nothing, so it writes one byte to an eventfd; a thread waits for that byte and makes
// the stop request, which runs callbacks.
#include "core/platform/interrupts.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <sys/eventfd.h>
#include <unistd.h>

namespace deployctl::platform {
namespace {

constexpr int interrupted_exit_code = 130;

std::atomic<std::int64_t> first_signal = 0;  // when it came, in milliseconds; 0: it has not
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
int wake_up_fd = -1;
constexpr std::array<int, 3> stop_signals{SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, stop_signals.size()> previous_actions;

// Since some moment, and never 0. Allowed in a signal handler.
std::int64_t milliseconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000 + 1;
}

extern "C" void on_signal(int /*signal*/) {
  const auto saved_errno = errno;
  const auto now = milliseconds_now();
  std::int64_t first = 0;
  if (first_signal.compare_exchange_strong(first, now)) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_up_fd, &one, sizeof one);
  } else if (now - first >= Interrupts::same_press.count()) {
    _exit(interrupted_exit_code);
  }
  errno = saved_errno;
}

}  // namespace

Interrupts::Interrupts() {
  first_signal = 0;
  wake_up_fd = eventfd(0, EFD_CLOEXEC);
  waiter_ = std::jthread([this](std::stop_token ending) {
    std::uint64_t count = 0;
    if (read(wake_up_fd, &count, sizeof count) == sizeof count && !ending.stop_requested()) {
      source_.request_stop();
    }
  });
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < stop_signals.size(); ++i) {
    sigaction(stop_signals[i], &action, &previous_actions[i]);
    if (stop_signals[i] == SIGHUP && previous_actions[i].sa_handler == SIG_IGN) {
      sigaction(SIGHUP, &previous_actions[i], nullptr);  // nohup: it is to go on
    }
  }
}

Interrupts::~Interrupts() {
  for (std::size_t i = 0; i < stop_signals.size(); ++i) {
    sigaction(stop_signals[i], &previous_actions[i], nullptr);
  }
  waiter_.request_stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_up_fd, &one, sizeof one);
  waiter_.join();
  close(wake_up_fd);
  wake_up_fd = -1;
}

}  // namespace deployctl::platform
