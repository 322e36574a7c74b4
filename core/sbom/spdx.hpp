// An SBOM in the SPDX 2.3 JSON form (spdx.github.io/spdx-spec/v2.3): the image, the operating system and the Debian
// packages in it, Go modules, and every file with its checksums.
//
// The same image gives the same bytes on every machine: the only time in it is the one it is given, and the document's
// namespace is a hash of what stands in it.
#pragma once

#include "core/oci/descriptor.hpp"
#include "core/oci/reference.hpp"
#include "core/sbom/contents.hpp"

#include <string>

namespace deployctl::sbom {

inline constexpr std::string_view spdx_media_type = "application/spdx+json";

// The image the document is about.
struct SpdxSubject {
  oci::Reference repository;  // tag and digest are not looked at
  oci::Digest digest;         // of its manifest
  oci::Platform platform;
  std::string created;  // RFC 3339
  std::string tool;     // "deployctl-0.1.0"
};

// One line of JSON.
std::string spdx_document(const ImageContents& contents, const SpdxSubject& subject);

}  // namespace deployctl::sbom
