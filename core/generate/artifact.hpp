// A file that deployctl makes from a project: its place, its text, and who owns it.
#pragma once

#include <string>
#include <vector>

namespace deployctl::generate {

enum class Family { dockerfile, compose, nginx, kubernetes, ci, hooks };

struct Artifact {
  Family family = Family::dockerfile;
  std::string path;  // relative to the project's folder, '/' between parts, never "..", never absolute
  std::string content;
  bool is_executable = false;

  friend bool operator==(const Artifact&, const Artifact&) = default;
};

std::string_view to_string(Family family);

}  // namespace deployctl::generate
