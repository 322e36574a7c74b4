#include "core/images/location.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace deployctl::images {
namespace {

using base::Error;
using base::Result;

struct Transport {
  std::string_view prefix;
  Location::Kind kind;
  std::string_view form;
};

constexpr std::array transports{
    Transport{"oci:", Location::Kind::layout, "oci:DIR[:NAME]"},
    Transport{"oci-archive:", Location::Kind::oci_archive, "oci-archive:FILE[:NAME]"},
    Transport{"docker-archive:", Location::Kind::docker_archive, "docker-archive:FILE[:REFERENCE]"},
};

// What skopeo knows and deployctl does not.
constexpr std::array<std::string_view, 5> other_transports{
    "docker-daemon:", "containers-storage:", "sif:", "ostree:", "tarball:"};

// "DIR", "DIR:NAME" or "DIR@sha256:…"
std::pair<std::string_view, std::string_view> path_and_name(std::string_view text) {
  if (const auto at = text.find("@sha256:"); at != std::string_view::npos) {
    return {text.substr(0, at), text.substr(at)};
  }
  return base::split_once(text, ':');
}

// No reference begins like this, nor does a registry have such a name.
bool is_path(std::string_view text) {
  return text.starts_with('/') || text.starts_with("./") || text.starts_with("../") || text.starts_with('~');
}

Error path_alone(std::string_view text) {
  const auto shown = base::printable(text);
  return Error::usage("'{}' does not say what is there", shown)
      .with_hint("write docker-archive:{0} or oci-archive:{0} for an archive, oci:{0} for a layout's folder", shown);
}

Result<Location> registry_location(std::string_view text) {
  if (is_path(text)) {
    return path_alone(text);
  }
  auto reference = oci::Reference::parse(text);
  if (!reference) {
    auto error = reference.error();
    error.code = base::ErrorCode::usage;
    return error;
  }
  return Location{.kind = Location::Kind::registry, .reference = *std::move(reference)};
}

}  // namespace

Result<Location> parse_location(std::string_view text) {
  if (text.starts_with("docker://")) {
    return registry_location(text.substr(std::string_view("docker://").size()));
  }
  for (const auto& [prefix, kind, form] : transports) {
    if (!text.starts_with(prefix)) {
      continue;
    }
    const auto [path, name] = path_and_name(text.substr(prefix.size()));
    if (path.empty()) {
      return Error::usage("'{}' does not say where the image is: write {}", base::printable(text), form);
    }
    return Location{.kind = kind, .path = std::string(path), .name = std::string(name)};
  }
  if (std::ranges::any_of(other_transports, [&](auto prefix) { return text.starts_with(prefix); })) {
    return Error::usage("'{}' is a place deployctl does not read images from", base::printable(text))
        .with_hint("registries, oci:DIR, oci-archive:FILE and docker-archive:FILE are known");
  }
  return registry_location(text);
}

std::string to_string(const Location& location) {
  if (location.kind == Location::Kind::registry) {
    return oci::to_familiar(location.reference);
  }
  const auto* const transport = std::ranges::find(transports, location.kind, &Transport::kind);
  const auto* const separator = location.name.empty() || location.name.starts_with("@sha256:") ? "" : ":";
  return fmt::format("{}{}{}{}", transport->prefix, location.path, separator, location.name);
}

}  // namespace deployctl::images
