// A document about an image as a manifest that names the image as its subject (image-spec manifest.md, "Guidelines for
// Artifact Usage"): registries keep it beside the image and find it from there.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/image.hpp"
#include "core/oci/image_store.hpp"

#include <map>
#include <string>
#include <vector>

namespace deployctl::sbom {

// On everything we attach: which deployctl made it. The same image and the same deployctl give the same SBOM.
inline constexpr std::string_view version_annotation = "deployctl.dev/version";
// What a statement is about, as BuildKit marks it as well.
inline constexpr std::string_view predicate_annotation = "in-toto.io/predicate-type";

struct Attachment {
  std::string media_type;  // of the document, and the manifest's artifact type
  std::string document;
  std::map<std::string, std::string> annotations;
};

// The manifest that says it of `subject`; the same values give the same digest. Its blobs lie in the store afterwards.
base::Result<oci::StoredImage> make_artifact(const Attachment& attachment, const oci::Descriptor& subject,
                                             oci::ImageStore& store);

// Whether one of these referrers is an SBOM that this version of deployctl attached.
bool has_sbom(const std::vector<oci::Descriptor>& referrers, std::string_view version);

}  // namespace deployctl::sbom
