#include "core/native/folder_lock.hpp"

#include "core/base/text.hpp"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <mutex>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace deployctl::native {
namespace {

using base::Error;
using base::Result;

// A blocking flock() could not be ended by a stop_token, so that it is asked for again and again.
constexpr std::chrono::milliseconds between_questions{50};
constexpr std::chrono::hours longest_wait{1};

// False when `stop` was requested.
bool pause(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, between_questions, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

Result<FolderLock> FolderLock::take(const std::string& folder, const std::function<void(std::string_view)>& on_line,
                                    std::stop_token stop) {
  if (std::error_code problem; !std::filesystem::create_directories(folder, problem) && problem) {
    return Error::failed("cannot make {}: {}", folder, problem.message());
  }
  FolderLock lock(::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.file_ < 0) {
    return Error::failed("cannot make {}/lock: {}", folder, std::strerror(errno));
  }
  const auto end = std::chrono::steady_clock::now() + longest_wait;
  bool is_said = false;
  while (::flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return Error::failed("cannot lock {}: {}", folder, std::strerror(errno));
    }
    if (!std::exchange(is_said, true)) {
      on_line(fmt::format("waiting for another build in {}", folder));
    }
    if (!pause(stop)) {
      return Error::interrupted();
    }
    if (std::chrono::steady_clock::now() >= end) {
      return Error::failed("another build has been at work in {} for an hour", folder);
    }
  }
  return lock;
}

FolderLock::~FolderLock() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

}  // namespace deployctl::native
