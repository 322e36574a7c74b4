#include "core/base/url.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::base {
namespace {

bool is_scheme(std::string_view text) {
  const auto is_letter = [](char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [&](char byte) {
    return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' || byte == '.';
  });
}

bool has_forbidden_byte(std::string_view text) {
  return std::ranges::any_of(text, [](char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value <= 0x20 || value == 0x7F || byte == '\\' || byte == '"' || byte == '<' || byte == '>';
  });
}

bool is_absolute(std::string_view text) {
  const auto colon = text.find("://");
  return colon != std::string_view::npos && is_scheme(text.substr(0, colon));
}

// RFC 3986 section 5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string> kept;
  const auto segments = split(path, '/');
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const bool is_last = i + 1 == segments.size();
    if (segments[i] == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (segments[i] != ".") {
      kept.emplace_back(segments[i]);
      continue;
    }
    if (is_last) {
      kept.emplace_back();
    }
  }
  return "/" + join(kept, "/");
}

// Splits "path?query#fragment"; the fragment is never sent and is dropped.
void take_path_and_query(std::string_view text, Url& url) {
  text = text.substr(0, text.find('#'));
  const auto mark = text.find('?');
  url.path = text.substr(0, mark);
  url.has_query = mark != std::string_view::npos;
  url.query = url.has_query ? text.substr(mark + 1) : std::string_view();
}

// RFC 3986 section 3.2.2: an IPv6 address, in brackets only; its zone is not for URLs of ours.
bool is_bracketed_address(std::string_view text) {
  return text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

Status take_authority(std::string_view text, Url& url) {
  const auto at = text.rfind('@');
  if (at != std::string_view::npos) {
    url.userinfo = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) {
      return Error::invalid_input("the address in brackets has no end");
    }
    url.host = to_lower(text.substr(1, end - 1));
    if (!is_bracketed_address(url.host)) {
      return Error::invalid_input("in the brackets stands no IPv6 address");
    }
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') {
      return Error::invalid_input("after the address in brackets only a port may stand");
    }
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    const auto [host, port_text] = split_once(text, ':');
    if (host.find_first_of("[]@") != std::string_view::npos) {
      return Error::invalid_input("'{}' is not a host", printable(host));
    }
    url.host = to_lower(host);
    port = port_text;
  }
  if (url.host.empty()) {
    return Error::invalid_input("the host is missing");
  }
  if (!port.empty()) {
    const auto number = parse_integer(port);
    if (!number || *number < 1 || *number > 65535) {
      return Error::invalid_input("'{}' is not a port", port);
    }
    url.port = static_cast<int>(*number);
  }
  return {};
}

// What may be shown of a text that should be a URL: not the credentials in it, nor its query, which may hold some.
std::string without_secrets(std::string_view text) {
  text = text.substr(0, text.find('?'));
  const auto colon = text.find("://");
  const auto authority = colon == std::string_view::npos ? 0 : colon + 3;
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at < authority) {
    return printable(text.substr(0, 200));
  }
  return printable(text.substr(0, authority)) + "***" + printable(text.substr(at).substr(0, 200));
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const auto refuse = [&](std::string_view reason) {
    return Error::invalid_input("'{}' is not a URL: {}", without_secrets(text), reason);
  };
  if (has_forbidden_byte(text)) {
    return refuse("it holds a space or control character");
  }
  if (!is_absolute(text)) {
    return refuse("it does not start with a scheme such as https://");
  }
  Url url;
  const auto colon = text.find("://");
  url.scheme = to_lower(text.substr(0, colon));
  const auto rest = text.substr(colon + 3);
  const auto authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  if (const auto taken = take_authority(rest.substr(0, authority_end), url); !taken) {
    return refuse(taken.error().message);
  }
  take_path_and_query(rest.substr(authority_end), url);
  return url;
}

int Url::effective_port() const {
  if (port != 0) {
    return port;
  }
  return scheme == "https" ? 443 : 80;
}

Result<Url> Url::resolve(std::string_view reference) const {
  reference = reference.substr(0, reference.find('#'));
  if (is_absolute(reference)) {
    return parse(reference);
  }
  if (reference.starts_with("//")) {
    return parse(scheme + ":" + std::string(reference));
  }
  if (has_forbidden_byte(reference)) {
    return Error::invalid_input("'{}' is not a URL: it holds a space or control character", without_secrets(reference));
  }
  auto resolved = *this;
  if (reference.empty()) {
    return resolved;
  }
  take_path_and_query(reference, resolved);
  if (reference.starts_with('?')) {
    resolved.path = path;
  } else if (!reference.starts_with('/')) {
    const auto directory = path.substr(0, path.rfind('/') + 1);
    resolved.path = without_dot_segments((directory.empty() ? "/" : directory) + resolved.path);
  } else {
    resolved.path = without_dot_segments(resolved.path);
  }
  return resolved;
}

Url Url::with_query(std::string_view name, std::string_view value) const {
  auto longer = *this;
  if (longer.has_query && !longer.query.empty()) {
    longer.query += '&';
  }
  longer.query += percent_encode(name) + "=" + percent_encode(value);
  longer.has_query = true;
  return longer;
}

bool Url::same_origin(const Url& other) const {
  return scheme == other.scheme && host == other.host && effective_port() == other.effective_port();
}

std::string Url::authority() const {
  const auto bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == 0 ? bracketed : bracketed + ":" + std::to_string(port);
}

std::string to_string(const Url& url) {
  auto text = url.scheme + "://";
  if (!url.userinfo.empty()) {
    text += url.userinfo + "@";
  }
  text += url.authority() + url.path;
  if (url.has_query) {
    text += "?" + url.query;
  }
  return text;
}

std::string to_display(const Url& url) {
  return url.scheme + "://" + url.authority() + url.path;
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    const bool unreserved = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                            (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
    if (unreserved) {
      encoded += byte;
    } else {
      encoded += fmt::format("%{:02X}", value);
    }
  }
  return encoded;
}

std::string percent_decode(std::string_view text) {
  const auto digit = [](char byte) {
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
  };
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool is_escape =
        text[at] == '%' && at + 2 < text.size() && digit(text[at + 1]) >= 0 && digit(text[at + 2]) >= 0;
    if (is_escape) {
      decoded += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host == "::1" || host.ends_with(".localhost")) {
    return true;
  }
  const auto parts = split(host, '.');
  return parts.size() == 4 && parts[0] == "127" && std::ranges::all_of(parts, [](std::string_view part) {
           const auto number = parse_integer(part);
           return number && *number >= 0 && *number <= 255;
         });
}

}  // namespace deployctl::base
