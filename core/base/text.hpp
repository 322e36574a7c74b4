// Small questions about text that several modules ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deployctl::base {

// The text before and after the first separator; the second part is empty when there is none.
std::pair<std::string_view, std::string_view> split_once(std::string_view text, char separator);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string to_lower(std::string_view text);
// Every occurrence, left to right; nothing is replaced when `from` is empty.
std::string replace_all(std::string text, std::string_view from, std::string_view to);
bool equals_ignoring_case(std::string_view left, std::string_view right);

// A whole decimal number, nothing around it; nothing on overflow.
std::optional<long long> parse_integer(std::string_view text);

// The candidate with the fewest edits from `word`, when it is near enough to be what was meant.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);
// "did you mean 'port'?", or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// RFC 1123: lower-case letters, digits and '-', starting and ending with a letter or digit, at most 63 bytes.
bool is_dns_label(std::string_view text);

// The code point a text (not empty) starts with. What is not UTF-8 (overlong forms, surrogates and what is past
// U+10FFFF too) is one invalid byte.
struct CodePoint {
  std::uint32_t value;
  std::size_t length;
  bool valid;
};
CodePoint first_code_point(std::string_view text);

bool is_utf8(std::string_view text);
// The nearest place at or before `at` where a code point begins; `at` itself where the text is no UTF-8.
std::size_t utf8_boundary(std::string_view text, std::size_t at);
// How many terminal cells the UTF-8 text takes: wide East Asian code points take two, combining ones none.
std::size_t display_width(std::string_view text);
// Text from outside made safe for one line of a terminal: colour sequences are left out, a tab becomes a space, every
// other control character (line feeds and other escape sequences too) and invalid UTF-8 become U+FFFD.
std::string printable(std::string_view text);

std::string base64_encode(std::string_view bytes);
// Standard or URL alphabet, padding optional, white space ignored; nothing when anything else is in it.
std::optional<std::string> base64_decode(std::string_view text);

// "1.2 MiB", "340 B": for people.
std::string human_bytes(unsigned long long bytes);

}  // namespace deployctl::base
