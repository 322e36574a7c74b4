// Text between double quotes, in the notation that JSON and YAML share: \" \\ \n \r \t, and further escapes that each
// of them chooses and writes its own way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace deployctl::base {

struct EscapeRule {
  bool (*is_escaped)(std::uint32_t code);                       // of code points from U+0080; controls always are
  void (*append_escape)(std::string& out, std::uint32_t code);  // in place of the code point
};

// Invalid UTF-8 becomes U+FFFD.
void append_double_quoted(std::string& out, std::string_view text, const EscapeRule& rule);

}  // namespace deployctl::base
