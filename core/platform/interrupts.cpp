// A signal handler may do next to nothing, so it writes one byte to an eventfd; a thread waits for that byte and makes
// the stop request, which runs callbacks.
#include "core/platform/interrupts.hpp"

#include <csignal>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace deployctl::platform {
namespace {

constexpr int interrupted_exit_code = 130;

volatile std::sig_atomic_t signals_seen = 0;
int wake_up_fd = -1;
struct sigaction previous_interrupt;
struct sigaction previous_terminate;

extern "C" void on_signal(int /*signal*/) {
  if (signals_seen != 0) {
    _exit(interrupted_exit_code);
  }
  signals_seen = 1;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_up_fd, &one, sizeof one);
}

}  // namespace

Interrupts::Interrupts() {
  signals_seen = 0;
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
  sigaction(SIGINT, &action, &previous_interrupt);
  sigaction(SIGTERM, &action, &previous_terminate);
}

Interrupts::~Interrupts() {
  sigaction(SIGINT, &previous_interrupt, nullptr);
  sigaction(SIGTERM, &previous_terminate, nullptr);
  waiter_.request_stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_up_fd, &one, sizeof one);
  waiter_.join();
  close(wake_up_fd);
  wake_up_fd = -1;
}

}  // namespace deployctl::platform
