// What generation has to know from the project's files besides the project manifest: the config files that become
// ConfigMaps, and what the source folders say about how they are built. Read once, so that generation itself is pure.
#pragma once

#include "core/base/result.hpp"
#include "core/io/file_system.hpp"
#include "core/project/model.hpp"

#include <map>
#include <string>

namespace deployctl::generate {

// What stands in a service's source folder.
struct SourceFacts {
  bool has_vendor = false;         // Go modules are vendored: nothing to download
  bool has_local_modules = false;  // go.mod replaces a module by a folder, which go.mod alone does not bring along
  std::string go_version;          // of go.mod's toolchain or go line: "1.22.3"; empty without one
  std::string main_package;        // Go: "." or "./cmd/api"; where `package main` was found
  std::string executable;  // C++: the only add_executable() of CMakeLists.txt; empty when there is no single one

  friend bool operator==(const SourceFacts&, const SourceFacts&) = default;
};

struct Inputs {
  std::map<std::string, std::string> files;    // path as in ConfigFile::source -> content
  std::map<std::string, SourceFacts> sources;  // service -> facts; missing: nothing is known

  [[nodiscard]] SourceFacts facts(const std::string& service) const;
};

// Reads what the Target names. invalid_input with the span of the value for a file that is not there or too large.
base::Result<Inputs> read_inputs(const project::Target& target, const io::FileSystem& files);

}  // namespace deployctl::generate
