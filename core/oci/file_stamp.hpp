// What a file or folder of this machine looked like when it was found: another stamp, other content.
//
// A change sets its times, and nobody can set the time of change back. But it sets them to the file system's clock,
// which stands still for a while: what was looked at within that while of its last change may change again without its
// stamp showing it (git's "racy" entries).
#pragma once

#include <compare>
#include <cstdint>
#include <sys/stat.h>

namespace deployctl::oci {

struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // 0: of no file
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t changed = 0;   // the same, of the inode
  std::uint32_t mode = 0;
  friend auto operator<=>(const FileStamp&, const FileStamp&) = default;
};

FileStamp stamp_of(const struct stat& info);

// Nanoseconds since 1970.
std::int64_t wall_time();

// Whether a file that was looked at not before `now` cannot change any more without its stamp showing it, on a file
// system whose clock moves every `tick` nanoseconds. False for a time that is still to come.
bool is_settled(const FileStamp& stamp, std::int64_t now, std::int64_t tick);

}  // namespace deployctl::oci
