#include "core/yaml/readable.hpp"

#include "core/base/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

namespace deployctl::yaml {
namespace {

bool is_plain_ascii(char byte) {
  return (byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\r' || byte == '\t';
}

bool is_control(std::uint32_t code) {
  return code < 0xA0 && code != 0x85;
}

bool is_binary(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

}  // namespace

std::optional<Unreadable> find_unreadable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (is_plain_ascii(text[at])) {
      ++at;
      continue;
    }
    const auto code_point = base::first_code_point(text.substr(at));
    if (is_binary(text) && (!code_point.valid || is_control(code_point.value))) {
      return Unreadable{at, "this is a binary file, not YAML", "it holds NUL bytes"};
    }
    if (!code_point.valid) {
      return Unreadable{at, fmt::format("the byte 0x{:02X} is not valid UTF-8", static_cast<unsigned char>(text[at])),
                        "save the file as UTF-8"};
    }
    if (is_control(code_point.value)) {
      return Unreadable{at, fmt::format("the control character U+{:04X} may not stand in YAML", code_point.value),
                        "inside double quotes it can be written as an escape such as \\x1b"};
    }
    at += code_point.length;
  }
  return std::nullopt;
}

}  // namespace deployctl::yaml
