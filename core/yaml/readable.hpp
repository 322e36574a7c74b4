// Whether bytes can be YAML at all (YAML 1.2.2 section 5.1, character set). Private to this module: yaml-cpp lets
// invalid UTF-8 and NUL through and takes U+0004 for the end of the file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace deployctl::yaml {

struct Unreadable {
  std::size_t offset = 0;
  std::string message;
  std::string hint;
};

// The first place that no YAML text can hold.
std::optional<Unreadable> find_unreadable(std::string_view text);

}  // namespace deployctl::yaml
