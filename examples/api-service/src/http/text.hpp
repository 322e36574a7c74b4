// The small text rules of HTTP: case-insensitive names, percent-encoding, queries, dates. All pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace http {

bool equal_ignoring_case(std::string_view left, std::string_view right);

// The bytes that a percent-encoded text stands for; nothing when an escape is broken or hides a NUL.
std::optional<std::string> percent_decoded(std::string_view text);

// The first value of that name in "a=1&b=2", decoded ('+' is a space); nothing when it is absent or broken.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

struct Target {
  std::string_view path;
  std::string_view query;
};

// The path and query of a request target in origin form ("/a?b") or absolute form ("http://host/a?b").
// Nothing for any other form (RFC 9112, section 3.2).
std::optional<Target> parse_target(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7).
std::string http_date(std::chrono::system_clock::time_point time);

// "1994-11-06T08:49:37.123Z".
std::string iso_time(std::chrono::system_clock::time_point time);

}  // namespace http
