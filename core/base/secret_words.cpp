#include "core/base/secret_words.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace deployctl::base {
namespace {

constexpr std::string_view blank = "***";
constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t shortest_token = 24;

bool is_letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}
bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

// Base64, hexadecimal, JSON web tokens: letters and digits mixed, and none of what names of files and hosts have.
bool looks_like_token(std::string_view word) {
  if (word.starts_with("eyJ")) {
    return true;
  }
  return word.size() >= shortest_token && std::ranges::any_of(word, is_letter) && std::ranges::any_of(word, is_digit) &&
         std::ranges::all_of(word, [](char byte) {
           return is_letter(byte) || is_digit(byte) || byte == '+' || byte == '=' || byte == '_' || byte == '-';
         });
}

// "https://ada:pw@host/x?token=y" without user, password and query.
std::string shown_url(std::string_view word, std::size_t authority) {
  const auto end = word.find_first_of("/?#", authority);
  const auto at = word.substr(0, end).rfind('@');
  auto shown = std::string(word.substr(0, authority));
  if (at != std::string_view::npos && at >= authority) {
    shown += blank;
    authority = at;
  }
  const auto query = word.find('?', authority);
  shown += word.substr(authority, query - authority);
  return query == std::string_view::npos ? shown : shown + "?" + std::string(blank);
}

std::string shown(std::string_view word) {
  if (const auto scheme = word.find("://"); scheme != std::string_view::npos) {
    return shown_url(word, scheme + 3);
  }
  if (word.find("\":") != std::string_view::npos || looks_like_token(word)) {
    return std::string(blank);
  }
  const auto mark = word.find_first_of("=:");
  const bool is_setting =
      mark != std::string_view::npos && mark + 1 < word.size() && sounds_secret(word.substr(0, mark));
  return is_setting ? std::string(word.substr(0, mark + 1)) + std::string(blank) : std::string(word);
}

// Whether the next word is what this one speaks of.
bool announces_secret(std::string_view word) {
  const auto lower = to_lower(word);
  return lower == "bearer" || lower == "basic" ||
         ((lower.ends_with(':') || lower.ends_with('=')) && sounds_secret(lower));
}

}  // namespace

bool sounds_secret(std::string_view name) {
  constexpr std::array<std::string_view, 9> signs{"secret",  "token",  "password", "passwd",    "credential",
                                                  "private", "apikey", "api_key",  "access_key"};
  const auto lower = to_lower(name);
  return std::ranges::any_of(signs, [&](std::string_view sign) { return lower.find(sign) != std::string::npos; });
}

std::string without_secrets(std::string_view printed) {
  std::vector<std::string> words;
  bool is_secret = false;
  for (auto begin = printed.find_first_not_of(blanks); begin != std::string_view::npos;
       begin = printed.find_first_not_of(blanks)) {
    printed.remove_prefix(begin);
    const auto word = printed.substr(0, printed.find_first_of(blanks));
    printed.remove_prefix(word.size());
    words.push_back(is_secret ? std::string(blank) : shown(word));
    is_secret = announces_secret(word);
  }
  return printable(join(words, " "));
}

}  // namespace deployctl::base
