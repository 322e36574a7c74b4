#include "core/oci/temporary_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

Error system_error(std::string_view doing, const std::string& path) {
  return Error::failed("cannot {} {}: {}", doing, path, std::strerror(errno));
}

}  // namespace

Result<TemporaryFile> TemporaryFile::make(const std::string& directory) {
  std::error_code problem;
  std::filesystem::create_directories(directory, problem);
  if (problem) {
    return Error::failed("cannot make {}: {}", directory, problem.message());
  }
  auto path = directory + "/.new-XXXXXX";
  const int file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) {
    return system_error("write into", directory);
  }
  return TemporaryFile(file, std::move(path));
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}

TemporaryFile& TemporaryFile::operator=(TemporaryFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  return *this;
}

TemporaryFile::~TemporaryFile() {
  if (file_ >= 0) {
    ::close(file_);
    ::unlink(path_.c_str());
  }
}

Status TemporaryFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(file_, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) {
      return system_error("write", path_);
    }
    bytes.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
  }
  return {};
}

Status TemporaryFile::rename_to(const std::string& path) {
  ::fchmod(file_, 0644);
  if (::rename(path_.c_str(), path.c_str()) != 0) {
    return system_error("write", path);
  }
  ::close(std::exchange(file_, -1));
  return {};
}

Status write_whole_file(const std::string& path, std::string_view bytes) {
  auto file = TemporaryFile::make(std::filesystem::path(path).parent_path().string());
  if (!file) {
    return file.error();
  }
  const auto written = file->write(bytes);
  return written ? file->rename_to(path) : written;
}

}  // namespace deployctl::oci
