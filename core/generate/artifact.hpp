// A file that deployctl makes from a project: its place, its text, and who owns it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::generate {

enum class Family { dockerfile, compose, kubernetes, ci };

struct Artifact {
  Family family = Family::dockerfile;
  std::string path;  // relative to the project's folder, '/' between parts, never "..", never absolute
  std::string content;
  bool is_executable = false;

  friend bool operator==(const Artifact&, const Artifact&) = default;
};

// "dockerfile", "compose", "kubernetes", "ci": the words of the command line.
std::string_view to_string(Family family);

// The first line of every file we make. A file without it belongs to the user and is never overwritten unasked.
std::string header_line(std::string_view manifest_name);
bool has_header(std::string_view content);

}  // namespace deployctl::generate
