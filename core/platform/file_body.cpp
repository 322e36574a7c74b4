#include "core/platform/file_body.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace deployctl::platform {

using base::Error;
using base::Result;

Error FileBody::shrunk() const {
  return Error::failed("{} became shorter while it was sent", path_);
}

base::Status FileBody::rewind() {
  at_ = 0;
  return {};
}

base::Status FileBody::seek(std::uint64_t offset) {
  at_ = std::min(offset, size_);
  return {};
}

Result<std::size_t> FileBody::read(char* buffer, std::size_t size) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - at_));
  if (wanted == 0) {
    return std::size_t{0};
  }
  ssize_t count = 0;
  do {
    count = ::pread(file_.get(), buffer, wanted, static_cast<off_t>(offset_ + at_));
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return Error::failed("cannot read {}: {}", path_, system_message(errno));
  }
  if (count == 0) {
    return shrunk();
  }
  at_ += static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

Result<std::size_t> FileBody::send_to(int socket, std::size_t most, int& system_error) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, size_ - at_));
  auto from = static_cast<off_t>(offset_ + at_);
  ssize_t count = 0;
  do {
    count = ::sendfile(socket, file_.get(), &from, wanted);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) {
    return std::size_t{0};
  }
  if (count < 0 && errno == EIO) {
    return Error::failed("cannot read {}: {}", path_, system_message(errno));
  }
  if (count < 0) {
    system_error = errno;
    return std::size_t{0};
  }
  if (count == 0 && wanted > 0) {
    return shrunk();
  }
  at_ += static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

Result<std::shared_ptr<http::Body>> open_file_body(const std::string& path, std::uint64_t offset,
                                                   std::optional<std::uint64_t> length) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    const auto code = errno == ENOENT ? base::ErrorCode::not_found : base::ErrorCode::failed;
    return Error::make(code, "cannot open {}: {}", path, system_message(errno));
  }
  struct stat info {};
  const bool is_regular = ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode);
  const auto size = is_regular ? static_cast<std::uint64_t>(info.st_size) : 0;
  if (!is_regular || offset > size || length.value_or(0) > size - offset) {
    return Error::failed("{} is {}", path, is_regular ? "shorter than expected" : "no regular file");
  }
  return std::shared_ptr<http::Body>(
      std::make_shared<FileBody>(std::move(file), path, offset, length.value_or(size - offset)));
}

}  // namespace deployctl::platform
