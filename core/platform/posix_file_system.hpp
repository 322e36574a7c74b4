// The machine's files. Writing is one step for whoever looks at the path: the old file or the new one, never a part,
// and never through a symlink that stands at the path itself (it is replaced).
#pragma once

#include "core/io/file_system.hpp"

namespace deployctl::platform {

class PosixFileSystem : public io::FileSystem {
 public:
  [[nodiscard]] base::Result<std::string> read(const std::string& path, std::uint64_t limit) const override;
  [[nodiscard]] io::FileInfo stat(const std::string& path) const override;
  [[nodiscard]] base::Result<std::vector<std::string>> list(const std::string& path) const override;
  base::Status write(const std::string& path, std::string_view content, io::Permissions permissions) override;
  base::Status make_directory(const std::string& path, io::Permissions permissions) override;
  // A file, a symlink (not what it points at) or an empty directory; not_found when there is none.
  base::Status remove(const std::string& path) override;
  // Symlinks are removed, not followed. Nothing there is success.
  base::Status remove_tree(const std::string& path) override;
  base::Result<std::string> make_temporary_directory(const std::string& parent = {}) override;
  [[nodiscard]] base::Result<std::string> canonical(const std::string& path) const override;
  [[nodiscard]] std::string current_directory() const override;
};

}  // namespace deployctl::platform
