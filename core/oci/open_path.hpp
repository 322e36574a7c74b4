// A file or folder of this machine, open for reading as long as the object lives.
#pragma once

#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>

namespace deployctl::oci {

class OpenPath {
 public:
  // `flags` are those of open(2) besides O_RDONLY and O_CLOEXEC. When it cannot be opened is_open() is false, with
  // errno.
  explicit OpenPath(const std::string& path, int flags = 0);
  // `name` below the open folder `parent`, or AT_FDCWD.
  OpenPath(int parent, const char* name, int flags);
  ~OpenPath();
  OpenPath(const OpenPath&) = delete;
  OpenPath& operator=(const OpenPath&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Nothing when it is not open, errno left as it is.
  [[nodiscard]] std::optional<struct stat> info() const;
  // Fills the buffer from its beginning. Bytes read, 0 at the end, -1 with errno on failure.
  ssize_t read(std::string& buffer) const;

 private:
  int descriptor_;
};

}  // namespace deployctl::oci
