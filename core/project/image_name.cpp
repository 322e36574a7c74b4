#include "core/project/image_name.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::project {
namespace {

bool is_lower(char byte) {
  return byte >= 'a' && byte <= 'z';
}
bool is_upper(char byte) {
  return byte >= 'A' && byte <= 'Z';
}
bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}
bool is_hex(char byte) {
  return is_digit(byte) || (byte >= 'a' && byte <= 'f');
}
bool is_alphanumeric(char byte) {
  return is_lower(byte) || is_upper(byte) || is_digit(byte);
}

// [a-z0-9]+ joined by one '.', one or two '_', or any number of '-'.
bool is_path_component(std::string_view text) {
  if (text.empty() || !(is_lower(text.front()) || is_digit(text.front())) ||
      !(is_lower(text.back()) || is_digit(text.back()))) {
    return false;
  }
  if (text.find("..") != std::string_view::npos || text.find("___") != std::string_view::npos) {
    return false;
  }
  return std::ranges::all_of(
      text, [](char byte) { return is_lower(byte) || is_digit(byte) || byte == '.' || byte == '_' || byte == '-'; });
}

bool is_host(std::string_view text) {
  const auto [name, port] = base::split_once(text, ':');
  const bool has_port = text.find(':') != std::string_view::npos;
  const auto number = base::parse_integer(port);
  return !name.empty() && is_alphanumeric(name.front()) &&
         std::ranges::all_of(name, [](char byte) { return is_alphanumeric(byte) || byte == '.' || byte == '-'; }) &&
         (!has_port || (number && *number >= 1 && *number <= 65535));
}

// Docker's rule: the first component names a host when it could be nothing else.
bool names_host(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
         std::ranges::any_of(first, is_upper);
}

std::string why_not_path(std::string_view path) {
  for (const auto component : base::split(path, '/')) {
    if (component.empty()) {
      return "a part of its path is empty";
    }
    if (std::ranges::any_of(component, is_upper)) {
      return fmt::format("'{}' is not lower-case", component);
    }
    if (!is_path_component(component)) {
      return fmt::format("'{}' may have letters, digits, and '.', '_', '-' between them only",
                         base::printable(component));
    }
  }
  return {};
}

std::string why_not_repository(std::string_view text) {
  const auto [first, rest] = base::split_once(text, '/');
  if (text.empty()) {
    return "it has no name";
  }
  if (rest.empty() && text.find('/') == std::string_view::npos) {
    return why_not_path(text);
  }
  if (names_host(first)) {
    return is_host(first) ? why_not_path(rest) : fmt::format("'{}' is not a host", base::printable(first));
  }
  return why_not_path(text);
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(
             text, [](char byte) { return is_alphanumeric(byte) || byte == '_' || byte == '.' || byte == '-'; });
}

bool is_digest(std::string_view text) {
  const auto [algorithm, hex] = base::split_once(text, ':');
  const std::size_t length = algorithm == "sha256" ? 64 : algorithm == "sha512" ? 128 : 0;
  return length != 0 && hex.size() == length && std::ranges::all_of(hex, is_hex);
}

base::Error not_an_image(std::string_view text, std::string_view reason) {
  return base::Error::invalid_input("'{}' is not an image reference: {}", base::printable(text), reason);
}

}  // namespace

base::Result<ImageName> parse_image_name(std::string_view text) {
  if (text.find("://") != std::string_view::npos) {
    return not_an_image(text, fmt::format("leave out '{}'", text.substr(0, text.find("://") + 3)));
  }
  const auto [name, digest] = base::split_once(text, '@');
  const auto colon = name.rfind(':');
  const auto slash = name.rfind('/');
  const bool has_tag = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  const auto repository = has_tag ? name.substr(0, colon) : name;
  const auto tag = has_tag ? name.substr(colon + 1) : std::string_view();
  if (const auto reason = why_not_repository(repository); !reason.empty()) {
    return not_an_image(text, reason);
  }
  if (has_tag && !is_tag(tag)) {
    return not_an_image(text, fmt::format("'{}' is not a tag", base::printable(tag)));
  }
  if (text.find('@') != std::string_view::npos && !is_digest(digest)) {
    return not_an_image(text, fmt::format("'{}' is not a digest", base::printable(digest)));
  }
  return ImageName{std::string(repository), std::string(tag), std::string(digest)};
}

base::Result<std::string> parse_registry(std::string_view text) {
  const auto not_a_registry = [text](std::string_view reason) {
    return base::Error::invalid_input("'{}' is not a registry: {}", base::printable(text), reason)
        .with_hint("write host[:port][/path], for example registry.example.com/team");
  };
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    return not_a_registry(fmt::format("leave out '{}'", base::printable(text.substr(0, scheme + 3))));
  }
  while (text.ends_with('/')) {
    text.remove_suffix(1);
  }
  const bool has_path = text.find('/') != std::string_view::npos;
  const auto [host, path] = base::split_once(text, '/');
  if (!is_host(host)) {
    return not_a_registry(fmt::format("'{}' is not a host", base::printable(host)));
  }
  if (const auto reason = has_path ? why_not_path(path) : std::string(); !reason.empty()) {
    return not_a_registry(reason);
  }
  return std::string(text);
}

base::Result<std::string> parse_registry_host(std::string_view text) {
  if (is_host(text)) {
    return std::string(text);
  }
  return base::Error::invalid_input("'{}' is not a registry's host", base::printable(text))
      .with_hint("write host[:port], for example registry.example.com:5000");
}

}  // namespace deployctl::project
