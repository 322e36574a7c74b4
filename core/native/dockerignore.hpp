// The patterns of a .dockerignore, as Docker reads them (moby/patternmatcher): rooted at the folder, "**" for any
// number of folders, "!" takes back in, the last pattern that matches decides. A path below one that matches is matched
// too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::native {

class IgnoreRules {
 public:
  IgnoreRules() = default;
  // Lines that are no pattern (a "[" without its "]") match nothing.
  static IgnoreRules parse(std::string_view text);

  // Whether the path, relative to the folder, stays out. Patterns that match `root` or a folder above it do not
  // count: what a project names itself is wanted.
  [[nodiscard]] bool leaves_out(std::string_view path, std::string_view root = {}) const;
  // Whether something below a path that stays out may be taken back in.
  [[nodiscard]] bool has_exceptions() const;
  // All patterns with "!", a line each.
  [[nodiscard]] std::string exceptions() const;
  // Whether the path is taken back in by a pattern with "!" of its own.
  [[nodiscard]] bool takes_back(std::string_view path) const;

 private:
  struct Pattern {
    std::vector<std::string> parts;
    bool is_exception = false;
  };
  [[nodiscard]] static bool matches(const Pattern& pattern, std::string_view path);

  std::vector<Pattern> patterns_;
};

}  // namespace deployctl::native
