#include "core/platform/file_body.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace deployctl::platform {
namespace {

class FileBody final : public http::Body {
 public:
  FileBody(int file, std::string path, std::uint64_t offset, std::uint64_t size)
      : file_(file), path_(std::move(path)), offset_(offset), size_(size) {}
  ~FileBody() override { ::close(file_); }
  FileBody(const FileBody&) = delete;
  FileBody& operator=(const FileBody&) = delete;

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  base::Status rewind() override {
    at_ = 0;
    return {};
  }

  base::Result<std::size_t> read(char* buffer, std::size_t size) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - at_));
    if (wanted == 0) {
      return std::size_t{0};
    }
    ssize_t count = 0;
    do {
      count = ::pread(file_, buffer, wanted, static_cast<off_t>(offset_ + at_));
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      return base::Error::failed("cannot read {}: {}", path_, std::strerror(errno));
    }
    if (count == 0) {
      return base::Error::failed("{} became shorter while it was sent", path_);
    }
    at_ += static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }

 private:
  int file_;
  std::string path_;
  std::uint64_t offset_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
};

}  // namespace

base::Result<std::shared_ptr<http::Body>> open_file_body(const std::string& path, std::uint64_t offset,
                                                         std::optional<std::uint64_t> length) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    const auto code = errno == ENOENT ? base::ErrorCode::not_found : base::ErrorCode::failed;
    return base::Error::make(code, "cannot open {}: {}", path, std::strerror(errno));
  }
  struct stat info {};
  const bool is_regular = ::fstat(file, &info) == 0 && S_ISREG(info.st_mode);
  const auto size = is_regular ? static_cast<std::uint64_t>(info.st_size) : 0;
  if (!is_regular || offset > size || length.value_or(0) > size - offset) {
    ::close(file);
    return base::Error::failed("{} is {}", path, is_regular ? "shorter than expected" : "no regular file");
  }
  return std::shared_ptr<http::Body>(std::make_shared<FileBody>(file, path, offset, length.value_or(size - offset)));
}

}  // namespace deployctl::platform
