#include "core/oci/reference.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::oci {
namespace {

constexpr std::string_view hub = "docker.io";
constexpr std::string_view hub_namespace = "library/";
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_tag = 128;

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}
bool is_lower(char byte) {
  return byte >= 'a' && byte <= 'z';
}
bool is_upper(char byte) {
  return byte >= 'A' && byte <= 'Z';
}
bool is_separator(char byte) {
  return byte == '.' || byte == '_' || byte == '-';
}

// Between letters and digits stand ".", "_", "__" or any number of "-".
bool is_path_component(std::string_view text) {
  std::string_view separator;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_separator(text[at])) {
      const bool continues = !separator.empty() && separator.back() == text[at];
      const auto length = continues ? separator.size() + 1 : 1;
      const bool fits = separator.empty() ? at > 0 : continues && (text[at] == '-' || (text[at] == '_' && length == 2));
      if (!fits) {
        return false;
      }
      separator = text.substr(at + 1 - length, length);
    } else if (is_lower(text[at]) || is_digit(text[at])) {
      separator = {};
    } else {
      return false;
    }
  }
  return !text.empty() && separator.empty();
}

bool is_host_name(std::string_view text) {
  const auto labels = base::split(text, '.');
  return std::ranges::all_of(labels, [](std::string_view label) {
    return !label.empty() && label.front() != '-' && label.back() != '-' && std::ranges::all_of(label, [](char byte) {
      return is_lower(byte) || is_upper(byte) || is_digit(byte) || byte == '-';
    });
  });
}

bool is_bracketed_address(std::string_view text) {
  return text.size() > 4 && text.front() == '[' && text.back() == ']' &&
         std::ranges::all_of(text.substr(1, text.size() - 2), [](char byte) {
           return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F') || byte == ':' ||
                  byte == '.';
         });
}

std::string why_not_registry(std::string_view text) {
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
  const auto host = has_port ? text.substr(0, colon) : text;
  if (!is_host_name(host) && !is_bracketed_address(host)) {
    return fmt::format("'{}' is not a host name", base::printable(host));
  }
  const auto port = has_port ? base::parse_integer(text.substr(colon + 1)) : std::optional(1LL);
  return port && *port > 0 && *port <= 65535
             ? ""
             : fmt::format("'{}' is not a port", base::printable(text.substr(colon + 1)));
}

// The first component is a registry when it could be no repository of Docker Hub's: it holds '.' or ':' or is
// localhost.
bool names_registry(std::string_view component) {
  return component.find_first_of(".:") != std::string_view::npos || component == "localhost";
}

std::string canonical_registry(std::string_view text) {
  auto name = base::to_lower(text);
  return name == "index.docker.io" || name == "registry-1.docker.io" ? std::string(hub) : name;
}

struct Name {
  std::string registry;
  std::string repository;
};

Name split_registry(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || !names_registry(text.substr(0, slash))) {
    return {std::string(hub), std::string(text)};
  }
  return {canonical_registry(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

std::pair<std::string_view, std::string_view> split_tag(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto slash = text.rfind('/');
  const bool has_tag = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return has_tag ? std::pair(text.substr(0, colon), text.substr(colon + 1)) : std::pair(text, std::string_view());
}

bool is_bare_digest(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f'); });
}

}  // namespace

std::string why_not_repository(std::string_view text) {
  if (text.empty()) {
    return "the repository is missing";
  }
  if (std::ranges::any_of(text, is_upper)) {
    return fmt::format("the repository '{}' has upper-case letters", base::printable(text));
  }
  for (const auto component : base::split(text, '/')) {
    if (!is_path_component(component)) {
      return fmt::format(
          "'{}' is not a part of a repository: lower-case letters and digits, with '.', '_', '__' or '-' between them",
          base::printable(component));
    }
  }
  return "";
}

std::string why_not_tag(std::string_view text) {
  if (text.empty()) {
    return "the tag is missing";
  }
  if (text.size() > longest_tag) {
    return fmt::format("the tag is longer than {} characters", longest_tag);
  }
  const bool fits = std::ranges::all_of(
      text, [](char byte) { return is_lower(byte) || is_upper(byte) || is_digit(byte) || is_separator(byte); });
  if (!fits || text.front() == '.' || text.front() == '-') {
    return fmt::format("'{}' is not a tag: letters, digits, '_', '.' and '-', not starting with '.' or '-'",
                       base::printable(text));
  }
  return "";
}

base::Result<Reference> Reference::parse(std::string_view text) {
  const auto refuse = [&](std::string_view reason) {
    return base::Error::invalid_input("'{}' is not an image reference: {}", base::printable(text.substr(0, 300)),
                                      reason);
  };
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    return refuse(fmt::format("it is a URL; leave out '{}'", base::printable(text.substr(0, scheme + 3))));
  }
  const auto at = text.find('@');
  const auto [name, tag] = split_tag(text.substr(0, at));
  auto [registry, repository] = split_registry(name);
  if (auto reason = why_not_registry(registry); !reason.empty()) {
    return refuse(reason);
  }
  if (auto reason = why_not_repository(repository); !reason.empty()) {
    return refuse(reason);
  }
  if (is_bare_digest(name)) {
    return refuse("it is an image id");
  }
  if (registry == hub && repository.find('/') == std::string::npos) {
    repository.insert(0, hub_namespace);
  }
  if (registry.size() + 1 + repository.size() > longest_name) {
    return refuse(fmt::format("the name is longer than {} characters", longest_name));
  }
  const bool has_tag = name.size() < text.substr(0, at).size();
  if (auto reason = has_tag ? why_not_tag(tag) : std::string(); !reason.empty()) {
    return refuse(reason);
  }
  Reference reference{
      .registry = std::move(registry), .repository = std::move(repository), .tag = std::string(tag), .digest = {}};
  if (at != std::string_view::npos) {
    auto digest = Digest::parse(text.substr(at + 1));
    if (!digest) {
      return refuse(digest.error().message);
    }
    if (digest->algorithm() != "sha256" && digest->algorithm() != "sha512") {
      return refuse(fmt::format("registries know images by sha256, not by {}", digest->algorithm()));
    }
    reference.digest = *digest;
  }
  return reference;
}

std::string Reference::identifier() const {
  if (digest) {
    return digest->text();
  }
  return tag.empty() ? "latest" : tag;
}

Reference Reference::with_tag(std::string_view other) const {
  return {.registry = registry, .repository = repository, .tag = std::string(other), .digest = std::nullopt};
}

Reference Reference::with_digest(const Digest& other) const {
  return {.registry = registry, .repository = repository, .tag = tag, .digest = other};
}

namespace {

std::string with_suffixes(std::string name, const Reference& reference) {
  if (!reference.tag.empty()) {
    name += ":" + reference.tag;
  }
  return reference.digest ? name + "@" + reference.digest->text() : name;
}

}  // namespace

std::string to_string(const Reference& reference) {
  return with_suffixes(reference.name(), reference);
}

std::string to_familiar(const Reference& reference) {
  if (reference.registry != hub) {
    return to_string(reference);
  }
  std::string_view repository = reference.repository;
  const bool is_official =
      repository.starts_with(hub_namespace) && repository.find('/', hub_namespace.size()) == std::string_view::npos;
  if (is_official) {
    repository.remove_prefix(hub_namespace.size());
  }
  // "docker.io/a.example/b" cannot be shortened: a.example would be the registry.
  const bool reads_as_registry =
      repository.find('/') != std::string_view::npos && names_registry(repository.substr(0, repository.find('/')));
  return reads_as_registry ? to_string(reference) : with_suffixes(std::string(repository), reference);
}

}  // namespace deployctl::oci
