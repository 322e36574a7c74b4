// Text may stay plain when it cannot be anything but text for a reader of YAML 1.1 (type repository: y, no, 012, 1_000,
// 22:22, 2001-12-14, <<, =) or 1.2 (core schema), in block and in flow context. The rule is one of inclusion: a first
// and further characters that are harmless, and none of the words and number shapes above. Amounts such as 100m, 128Mi
// and 1h30m begin with a digit but are numbers for nobody.
#include "core/yaml/quote.hpp"

#include "core/base/double_quoted.hpp"
#include "core/base/text.hpp"
#include "core/yaml/emit.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace deployctl::yaml {
namespace {

constexpr std::array words{"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
constexpr std::size_t longest_word = 5;

bool is_letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

constexpr std::array<bool, 256> harmless_bytes = [] {
  std::array<bool, 256> table{};
  for (const char byte : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                          "_-./:@+=$()%^*~;")) {
    table[static_cast<unsigned char>(byte)] = true;
  }
  return table;
}();

bool is_harmless(char byte) {
  return harmless_bytes[static_cast<unsigned char>(byte)];
}

// NEL and other C1 controls, no-break space, line and paragraph separators, marks that change the reading direction or
// show nothing, private use and non-characters: written as escapes, so that a reviewer sees them.
bool needs_escape(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0xA0) || code == 0xAD || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202F) || (code >= 0x2060 && code <= 0x206F) ||
         (code >= 0xE000 && code <= 0xF8FF) || code == 0xFEFF || (code >= 0xFFF0 && code <= 0xFFFC) || code == 0xFFFE ||
         code == 0xFFFF;
}

bool is_word(std::string_view text) {
  return text.size() <= longest_word &&
         std::ranges::any_of(words, [&](std::string_view word) { return base::equals_ignoring_case(word, text); });
}

// "100m", "1h30m", "128Mi": groups of digits, each followed by letters that no number has.
bool is_amount(std::string_view text) {
  constexpr std::string_view units = "mshdkMGTPKi";
  if (text.front() == '0') {
    return false;
  }
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto unit_end = std::min(text.find_first_not_of(units, digits), text.size());
    if (digits == 0 || unit_end == digits) {
      return false;
    }
    text.remove_prefix(unit_end);
  }
  return true;
}

bool may_start_plain(std::string_view text) {
  const char first = text.front();
  return is_letter(first) || first == '_' || first == '/' || static_cast<unsigned char>(first) >= 0x80 ||
         text.starts_with("./");
}

// Length of the harmless character at the start of the text, 0 when it is none.
std::size_t harmless_length(std::string_view text) {
  if (is_harmless(text[0])) {
    return 1;
  }
  if (static_cast<unsigned char>(text[0]) < 0x80) {
    return text[0] == ' ' ? 1 : 0;
  }
  const auto code_point = base::first_code_point(text);
  return code_point.valid && !needs_escape(code_point.value) ? code_point.length : 0;
}

bool is_plain(std::string_view text) {
  if (text.empty() || is_word(text)) {
    return false;
  }
  if (is_digit(text.front())) {
    return is_amount(text);
  }
  if (!may_start_plain(text) || text.back() == ' ' || text.back() == ':' || text.find(": ") != std::string_view::npos) {
    return false;
  }
  while (!text.empty()) {
    const auto length = harmless_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void append_escape(std::string& out, std::uint32_t code) {
  out += code < 0x100 ? fmt::format("\\x{:02X}", code) : fmt::format("\\u{:04X}", code);
}

bool is_unescaped_ascii(char byte) {
  return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

bool is_literal_text(std::string_view text) {
  while (!text.empty()) {
    const char first = text[0];
    if (is_unescaped_ascii(first) || first == '"' || first == '\\' || first == '\n' || first == '\t') {
      text.remove_prefix(1);
      continue;
    }
    const auto code_point = base::first_code_point(text);
    if (!code_point.valid || needs_escape(code_point.value)) {
      return false;
    }
    text.remove_prefix(code_point.length);
  }
  return true;
}

// A line of blanks alone could be taken for indentation, by readers and by editors that trim it.
bool has_blank_line(std::string_view text) {
  return std::ranges::any_of(base::split(text, '\n'), [](std::string_view line) {
    return !line.empty() && line.find_first_not_of(" \t") == std::string_view::npos;
  });
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += text;
  } else {
    base::append_double_quoted(out, text, {.is_escaped = needs_escape, .append_escape = append_escape});
  }
}

bool fits_literal_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.find_first_of(" \t\n") == 0) {
    return false;
  }
  return is_literal_text(text) && !has_blank_line(text);
}

std::string quote(std::string_view text) {
  std::string quoted;
  append_quoted(quoted, text);
  return quoted;
}

}  // namespace deployctl::yaml
