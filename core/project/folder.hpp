// What the files of one source folder say about the program in it.
#pragma once

#include "core/io/file_system.hpp"
#include "core/project/model.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace deployctl::project {

struct FolderFacts {
  bool exists = false;
  std::string leads_to;         // where symbolic links lead, out of the project; mostly empty
  bool has_dockerfile = false;  // one of the user's own; what `generate` wrote does not count
  bool has_cmake = false;
  std::optional<Stack> stack;  // by its build files, Dockerfile or not
};

// `folder` is absolute. Files that name a stack for certain come before those that only suggest one: go.mod,
// Cargo.toml, pom.xml or build.gradle, CMakeLists.txt, package.json, the Python ones, meson.build, a Makefile beside
// C++ sources, and index.html alone.
FolderFacts look_at(const std::string& folder, const io::FileSystem& files);

// The folders of a project by their path in it, each looked at once.
class Folders {
 public:
  Folders(std::string_view directory, const io::FileSystem& files) : directory_(directory), files_(files) {}

  const FolderFacts& at(const std::string& path);
  // Whether there is a regular file at a path in the project.
  [[nodiscard]] bool has_file(std::string_view path) const;

 private:
  std::string directory_;
  const io::FileSystem& files_;
  std::map<std::string, FolderFacts, std::less<>> seen_;
};

}  // namespace deployctl::project
