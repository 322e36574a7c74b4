// From Artifacts to files: what differs, and writing it without taking anything from the user.
#pragma once

#include "core/base/result.hpp"
#include "core/generate/artifact.hpp"
#include "core/io/file_system.hpp"
#include "core/project/model.hpp"

#include <span>
#include <string>
#include <vector>

namespace deployctl::generate {

enum class FileState {
  missing,    // nothing is there
  same,       // byte for byte
  different,  // ours, with other content
  foreign,    // the user's: it does not open with our header line
  stale,      // ours, but nothing gives it any more
};

// "missing", "same", …
std::string_view to_string(FileState state);

struct Comparison {
  std::string path;  // relative to the project's folder
  FileState state = FileState::missing;
  std::string diff;  // unified, from what is there to what should be; empty when `same` or `stale`
};

// One entry for each artifact, in their order. refused when a path leads through a symbolic link, or is one: what we
// write stays where it says.
base::Result<std::vector<Comparison>> compare(std::span<const Artifact> artifacts, const std::string& root,
                                              const io::FileSystem& files);

// Files of ours among the places generated files stand in (the folder deploy/, the CI files, compose.yaml and the
// Dockerfiles of the Target's sources) that are not among `artifacts`. Only for the families given; empty: all.
base::Result<std::vector<Comparison>> stale(const project::Target& target, std::span<const Artifact> artifacts,
                                            std::span<const Family> families, const std::string& root,
                                            const io::FileSystem& files);

enum class Force { no, yes };

struct Written {
  std::vector<std::string> written;  // paths, in the artifacts' order
  std::vector<std::string> unchanged;
};

// Writes what is missing or different, each file in one step. refused, before anything is written, when one is foreign
// and `force` is no: the error names them all.
base::Result<Written> write(std::span<const Artifact> artifacts, const std::string& root, io::FileSystem& files,
                            Force force = Force::no);

// Unified diff of two texts with three lines of context; empty when they are equal.
std::string unified_diff(std::string_view before, std::string_view after, std::string_view path);

}  // namespace deployctl::generate
