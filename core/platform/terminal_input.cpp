#include "core/platform/terminal_input.hpp"

#include <iostream>
#include <poll.h>
#include <unistd.h>

namespace deployctl::platform {
namespace {

constexpr int between_looks = 100;  // milliseconds

}  // namespace

base::Result<std::string> read_line(const std::stop_token& stop) {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  while (poll(&input, 1, between_looks) <= 0) {
    if (stop.stop_requested()) {
      return base::Error::interrupted();
    }
  }
  std::string line;
  std::getline(std::cin, line);
  if (stop.stop_requested()) {
    return base::Error::interrupted();
  }
  return line;
}

}  // namespace deployctl::platform
