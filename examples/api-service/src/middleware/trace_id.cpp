#include "middleware/trace_id.hpp"

#include <algorithm>
#include <array>
#include <sys/random.h>

namespace middleware {
namespace {

constexpr std::size_t longest_trace_id = 64;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_all_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::optional<std::string> checked_trace_id(std::string_view text) {
  if (text.empty() || text.size() > longest_trace_id || !std::ranges::all_of(text, is_plain)) {
    return std::nullopt;
  }
  return std::string(text);
}

// version "-" trace-id "-" parent-id "-" flags: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.
// A later version than 00 may have more after a further dash.
std::optional<std::string> traceparent_trace_id(std::string_view text) {
  constexpr std::size_t full_length = 55;
  if (text.size() < full_length || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const auto version = text.substr(0, 2);
  const auto trace_id = text.substr(3, 32);
  const auto parent_id = text.substr(36, 16);
  const auto flags = text.substr(53, 2);
  const bool is_hex = is_lower_hex(version) && is_lower_hex(trace_id) && is_lower_hex(parent_id) && is_lower_hex(flags);
  const bool ends_well = text.size() == full_length || (version != "00" && text[full_length] == '-');
  if (!is_hex || !ends_well || version == "ff" || is_all_zero(trace_id) || is_all_zero(parent_id)) {
    return std::nullopt;
  }
  return std::string(trace_id);
}

std::string made_trace_id() {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, 16> bytes{};
  while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
  }
  std::string id;
  for (const unsigned char byte : bytes) {
    id += digits[byte >> 4];
    id += digits[byte & 15];
  }
  return id;
}

}  // namespace middleware
