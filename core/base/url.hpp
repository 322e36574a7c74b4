// A URL with an authority (http, https, unix-less), as RFC 3986 splits it. Paths and queries stay as they were written.
#pragma once

#include "core/base/result.hpp"

#include <string>
#include <string_view>

namespace deployctl::base {

struct Url {
  std::string scheme;    // lower-case
  std::string userinfo;  // as written; never printed
  std::string host;      // lower-case; an IPv6 address without its brackets
  int port = 0;          // 0: the scheme's own
  std::string path;      // "" or starts with '/'
  std::string query;     // without '?'
  bool has_query = false;

  // invalid_input when there is no scheme or host, the port is no number up to 65535, or a control character or space
  // is in it.
  static Result<Url> parse(std::string_view text);
  // 443 for https, 80 for http, when none is written.
  [[nodiscard]] int effective_port() const;
  // RFC 3986 section 5.2: `reference` may be absolute, start with "//", "/" or "?", or be relative to the path.
  [[nodiscard]] Result<Url> resolve(std::string_view reference) const;
  // The same with "name=value" added to the query; both are percent-encoded.
  [[nodiscard]] Url with_query(std::string_view name, std::string_view value) const;
  // Same scheme, host and effective port: what credentials may be sent to.
  [[nodiscard]] bool same_origin(const Url& other) const;
  // "host" or "host:port" as it stands in a Host header.
  [[nodiscard]] std::string authority() const;

  friend bool operator==(const Url&, const Url&) = default;
};

// The whole URL with its userinfo; for requests.
std::string to_string(const Url& url);
// For people and logs: without userinfo and query.
std::string to_display(const Url& url);

// RFC 3986 section 2.1: everything but unreserved characters as %XX.
std::string percent_encode(std::string_view text);
std::string percent_decode(std::string_view text);

// "localhost", "*.localhost", 127.0.0.0/8 and ::1.
bool is_loopback_host(std::string_view host);

}  // namespace deployctl::base
