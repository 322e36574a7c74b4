// A file of our own that becomes visible under its name when it is complete, and leaves nothing behind when it never
// is.
#pragma once

#include "core/base/result.hpp"

#include <string>
#include <string_view>

namespace deployctl::oci {

class TemporaryFile {
 public:
  // In the directory, which is made with its parents.
  static base::Result<TemporaryFile> make(const std::string& directory);
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&& other) noexcept;
  ~TemporaryFile();

  base::Status write(std::string_view bytes);
  // Within the same file system; replaces what is there.
  base::Status rename_to(const std::string& path);

 private:
  TemporaryFile(int file, std::string path) : file_(file), path_(std::move(path)) {}

  int file_;
  std::string path_;
};

// Takes away what runs that were killed have left in the directory; files that a run is still writing stay.
void remove_stale_files(const std::string& directory);

// Replaces or makes the file in one step; its directory is made.
base::Status write_whole_file(const std::string& path, std::string_view bytes);

}  // namespace deployctl::oci
