// The three parts of an image reference as it stands in a project manifest. Only what a typing mistake would break is
// checked; what the reference means on the wire is oci's business.
#pragma once

#include "core/base/result.hpp"

#include <string>
#include <string_view>

namespace deployctl::project {

struct ImageName {
  std::string repository;  // "registry.example.com:5000/team/api", "mysql"
  std::string tag;         // may be empty
  std::string digest;      // "sha256:…"; may be empty
};

// distribution-spec, "Pulling manifests": lower-case path components, a tag of at most 128 bytes, a digest.
base::Result<ImageName> parse_image_name(std::string_view text);

// A place for repositories: "registry.example.com", "localhost:5000/team". No scheme, no tag.
base::Result<std::string> parse_registry(std::string_view text);

// A registry itself: "registry.example.com", "localhost:5000".
base::Result<std::string> parse_registry_host(std::string_view text);

}  // namespace deployctl::project
