#include "core/oci/open_path.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace deployctl::oci {

OpenPath::OpenPath(const std::string& path, int flags) : OpenPath(AT_FDCWD, path.c_str(), flags) {}

OpenPath::OpenPath(int parent, const char* name, int flags)
    : descriptor_(::openat(parent, name, O_RDONLY | O_CLOEXEC | flags)) {}

OpenPath::~OpenPath() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

std::optional<struct stat> OpenPath::info() const {
  struct stat info {};
  return is_open() && ::fstat(descriptor_, &info) == 0 ? std::optional(info) : std::nullopt;
}

ssize_t OpenPath::read(std::string& buffer) const {
  ssize_t count = -1;
  do {
    count = ::read(descriptor_, buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace deployctl::oci
