// A directory of the test's own, gone when the test is.
#pragma once

#include "core/platform/posix_file_system.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace deployctl::platform {

class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(*PosixFileSystem().make_temporary_directory()) {}
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void put(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace deployctl::platform
