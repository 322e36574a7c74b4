#include "core/base/double_quoted.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::base {
namespace {

bool is_unescaped_ascii(char byte) {
  return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

void append_ascii(std::string& out, char byte, const EscapeRule& rule) {
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      rule.append_escape(out, static_cast<unsigned char>(byte));
  }
}

}  // namespace

void append_double_quoted(std::string& out, std::string_view text, const EscapeRule& rule) {
  out += '"';
  while (!text.empty()) {
    const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, is_unescaped_ascii) - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) {
      break;
    }
    const auto code_point = first_code_point(text);
    if (!code_point.valid) {
      out += "\xEF\xBF\xBD";
    } else if (code_point.value < 0x80) {
      append_ascii(out, text[0], rule);
    } else if (rule.is_escaped(code_point.value)) {
      rule.append_escape(out, code_point.value);
    } else {
      out += text.substr(0, code_point.length);
    }
    text.remove_prefix(code_point.length);
  }
  out += '"';
}

}  // namespace deployctl::base
