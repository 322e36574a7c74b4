#include "cli/report/writer.hpp"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace deployctl::cli::report {
namespace {

bool wait_until_writable(int descriptor) {
  pollfd waiting{.fd = descriptor, .events = POLLOUT, .revents = 0};
  return poll(&waiting, 1, -1) >= 0 || errno == EINTR;
}

// False with errno set when it cannot be.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      if (!wait_until_writable(descriptor)) {
        return false;
      }
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

struct Channel {
  std::mutex mutex;
  bool is_broken = false;
};

}  // namespace

Writer write_to_descriptor(int descriptor, std::shared_ptr<std::atomic<int>> error) {
  return [descriptor, error = std::move(error), channel = std::make_shared<Channel>()](std::string_view text) {
    const std::lock_guard lock(channel->mutex);
    if (!channel->is_broken) {
      channel->is_broken = !write_all(descriptor, text);
      if (channel->is_broken && error) {
        *error = errno;
      }
    }
  };
}

Writer append_to_file(const std::string& path) {
  return [path](std::string_view text) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor >= 0) {
      write_all(descriptor, text);
      close(descriptor);
    }
  };
}

}  // namespace deployctl::cli::report
