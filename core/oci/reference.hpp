// An image reference: registry, repository, and a tag, a digest or both (distribution-spec "Pulling manifests").
//
// Docker Hub's defaults are filled in when it is parsed: "nginx" is docker.io/library/nginx.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace deployctl::oci {

struct Reference {
  std::string registry;    // "docker.io", "registry.example.com:5000"
  std::string repository;  // "library/nginx"
  std::string tag;         // empty when none was written
  std::optional<Digest> digest;

  // invalid_input, with the reason, when it is no reference.
  static base::Result<Reference> parse(std::string_view text);

  // "registry.example.com/shop/api"
  [[nodiscard]] std::string name() const { return registry + "/" + repository; }
  // What a registry is asked for: the digest when there is one, else the tag, else "latest".
  [[nodiscard]] std::string identifier() const;
  [[nodiscard]] Reference with_tag(std::string_view other) const;
  [[nodiscard]] Reference with_digest(const Digest& other) const;

  friend bool operator==(const Reference&, const Reference&) = default;
};

// In full: "docker.io/library/nginx:1.25@sha256:…".
std::string to_string(const Reference& reference);
// As docker writes it: "nginx:1.25".
std::string to_familiar(const Reference& reference);

// Why the text is no repository path or no tag; empty when it is one.
std::string why_not_repository(std::string_view text);
std::string why_not_tag(std::string_view text);

}  // namespace deployctl::oci
