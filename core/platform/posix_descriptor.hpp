// An open file descriptor with one owner, and the few calls on it that have to be written with care (EINTR, short
// writes, standard descriptors that are closed).
#pragma once

#include "core/base/result.hpp"

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace deployctl::platform {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  // Gives the descriptor away; the caller closes it.
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

// Both ends are close-on-exec and above 2, so that they can be moved onto a child's standard descriptors in any order.
base::Result<Pipe> make_pipe();
void set_non_blocking(const Descriptor& descriptor);

// The words of the C library for an errno value, lower-case as our messages are: "permission denied".
std::string system_message(int error_number);

}  // namespace deployctl::platform
