// Files, as the program needs them. The real one is platform::PosixFileSystem; tests have one in memory.
#pragma once

#include "core/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::io {

enum class FileKind { none, regular, directory, symlink, other };

struct FileInfo {
  FileKind kind = FileKind::none;
  std::uint64_t size = 0;
  std::uint32_t mode = 0;  // permission bits
};

enum class Permissions : std::uint32_t { plain = 0644, executable = 0755, secret = 0600 };

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The whole file. not_found when there is none; failed when it is larger than `limit`, no regular file, or
  // unreadable.
  virtual base::Result<std::string> read(const std::string& path, std::uint64_t limit) const = 0;
  // What is there; symlinks are followed, a dangling one or nothing at all is `none`.
  virtual FileInfo stat(const std::string& path) const = 0;
  // Names in a directory, sorted, without "." and "..".
  virtual base::Result<std::vector<std::string>> list(const std::string& path) const = 0;
  // Replaces or makes the file in one step (temporary file in the same directory, fsync, rename); parents are made.
  virtual base::Status write(const std::string& path, std::string_view content, Permissions permissions) = 0;
  virtual base::Status make_directory(const std::string& path, Permissions permissions) = 0;
  virtual base::Status remove(const std::string& path) = 0;
  // Removes a directory made by this program with everything in it.
  virtual base::Status remove_tree(const std::string& path) = 0;
  // A new directory of our own (0700) below the system's temporary one or below `parent`.
  virtual base::Result<std::string> make_temporary_directory(const std::string& parent = {}) = 0;
  // Absolute, without symlinks; not_found when it does not exist.
  virtual base::Result<std::string> canonical(const std::string& path) const = 0;
  [[nodiscard]] virtual std::string current_directory() const = 0;
};

// "a/b" + "c" = "a/b/c"; an absolute second part stands alone. "." and ".." are resolved as text.
std::string join_path(std::string_view directory, std::string_view path);
// The part before the last '/', "." when there is none; and the part after it.
std::string parent_path(std::string_view path);
std::string file_name(std::string_view path);

}  // namespace deployctl::io
