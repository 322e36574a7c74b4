// A lock tells a file that is being written from one that a killed run has left: the kernel lets go of it whenever and
// however its holder ends, and it holds between containers that share a folder, where process ids mean nothing.
#include "core/oci/temporary_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::string_view prefix = ".deployctl-new-";
constexpr std::string_view varying = "XXXXXX";

Error system_error(std::string_view doing, const std::string& path) {
  return Error::failed("cannot {} {}: {}", doing, path, std::strerror(errno));
}

bool is_named_by_us(std::string_view name) {
  return name.starts_with(prefix) && name.size() == prefix.size() + varying.size();
}

// Whether the file is still there under a name.
bool is_linked(int file) {
  struct stat info {};
  return ::fstat(file, &info) != 0 || info.st_nlink > 0;
}

void remove_if_stale(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) {
    return;
  }
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) {
    ::unlink(path.c_str());
  }
  ::close(file);
}

}  // namespace

Result<TemporaryFile> TemporaryFile::make(const std::string& directory) {
  std::error_code problem;
  std::filesystem::create_directories(directory, problem);
  if (problem) {
    return Error::failed("cannot make {}: {}", directory, problem.message());
  }
  while (true) {
    auto path = fmt::format("{}/{}{}", directory, prefix, varying);
    const int file = ::mkostemp(path.data(), O_CLOEXEC);
    if (file < 0) {
      return system_error("write into", directory);
    }
    ::flock(file, LOCK_EX);
    if (is_linked(file)) {
      return TemporaryFile(file, std::move(path));
    }
    ::close(file);  // before it was locked somebody took it for stale
  }
}

void remove_stale_files(const std::string& directory) {
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(directory, problem)) {
    if (is_named_by_us(entry.path().filename().string())) {
      remove_if_stale(entry.path().string());
    }
  }
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
