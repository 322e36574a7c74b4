#include "core/oci/file_stamp.hpp"

#include <algorithm>
#include <chrono>

namespace deployctl::oci {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamp stamp_of(const struct stat& info) {
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = static_cast<std::uint64_t>(info.st_size),
          .modified = nanoseconds(info.st_mtim),
          .changed = nanoseconds(info.st_ctim),
          .mode = info.st_mode};
}

std::int64_t wall_time() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_settled(const FileStamp& stamp, std::int64_t now, std::int64_t tick) {
  return std::max(stamp.modified, stamp.changed) + tick < now;
}

}  // namespace deployctl::oci
