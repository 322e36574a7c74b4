#include "core/platform/posix_descriptor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace deployctl::platform {
namespace {

constexpr int first_free_descriptor = 3;

// The same file on a descriptor above the standard ones, which is only needed when we were started with one of those
// closed.
Descriptor above_standard(Descriptor descriptor) {
  if (descriptor.get() >= first_free_descriptor) {
    return descriptor;
  }
  return Descriptor(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, first_free_descriptor));
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::reset() {
  if (fd_ >= 0) {
    ::close(fd_);  // not repeated on EINTR: Linux has closed it by then
    fd_ = -1;
  }
}

base::Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return base::Error::failed("cannot make a pipe: {}", system_message(errno));
  }
  Pipe pipe{.read_end = above_standard(Descriptor(ends[0])), .write_end = above_standard(Descriptor(ends[1]))};
  if (!pipe.read_end.is_open() || !pipe.write_end.is_open()) {
    return base::Error::failed("cannot make a pipe: {}", system_message(errno));
  }
  return pipe;
}

void set_non_blocking(const Descriptor& descriptor) {
  fcntl(descriptor.get(), F_SETFL, fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

std::string system_message(int error_number) {
  auto text = std::generic_category().message(error_number);
  const bool is_acronym = text.size() > 1 && text[1] >= 'A' && text[1] <= 'Z';
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z' && !is_acronym) {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

}  // namespace deployctl::platform
