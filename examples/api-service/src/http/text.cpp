#include "http/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// The byte written as "%41" at the start of the text; nothing when it is no escape or a NUL.
std::optional<char> decoded_escape(std::string_view text) {
  if (text.size() < 3) {
    return std::nullopt;
  }
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  if (high < 0 || low < 0 || (high == 0 && low == 0)) {
    return std::nullopt;
  }
  return static_cast<char>(high * 16 + low);
}

std::optional<std::string> query_decoded(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percent_decoded(spaced);
}

std::tm utc(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    const auto byte = decoded_escape(text.substr(at));
    if (!byte) {
      return std::nullopt;
    }
    decoded += *byte;
    at += 2;
  }
  return decoded;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (query_decoded(pair.substr(0, equals)) == name) {
      return query_decoded(pair.substr(std::min(equals + 1, pair.size())));
    }
  }
  return std::nullopt;
}

std::optional<Target> parse_target(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(text.substr(0, scheme.size()), scheme)) {
      text.remove_prefix(scheme.size());
      text.remove_prefix(std::min(text.find_first_of("/?"), text.size()));
      if (!text.starts_with('/')) {
        return Target{.path = "/", .query = text.substr(text.empty() ? 0 : 1)};
      }
    }
  }
  if (!text.starts_with('/')) {
    return std::nullopt;
  }
  const auto mark = std::min(text.find('?'), text.size());
  return Target{.path = text.substr(0, mark), .query = text.substr(std::min(mark + 1, text.size()))};
}

std::string http_date(std::chrono::system_clock::time_point time) {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm at = utc(time);
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", days.at(at.tm_wday), at.tm_mday,
                    months.at(at.tm_mon), at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string iso_time(std::chrono::system_clock::time_point time) {
  const std::tm at = utc(time);
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", at.tm_year + 1900, at.tm_mon + 1,
                    at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec, static_cast<int>(since_epoch.count() % 1000));
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace http
