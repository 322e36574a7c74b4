#include "core/sbom/attachment.hpp"

#include "core/sbom/spdx.hpp"

#include <algorithm>

namespace deployctl::sbom {
namespace {

// An artifact has no configuration; this stands in its place, and has to be in the registry like any other blob.
constexpr std::string_view empty_config = "{}";
constexpr std::string_view empty_config_type = "application/vnd.oci.empty.v1+json";

}  // namespace

base::Result<oci::StoredImage> make_artifact(const Attachment& attachment, const oci::Descriptor& subject,
                                             oci::ImageStore& store) {
  const auto config = store.add_blob(empty_config, empty_config_type);
  if (!config) {
    return config.error();
  }
  const auto document = store.add_blob(attachment.document, attachment.media_type);
  if (!document) {
    return document.error();
  }
  const oci::ImageManifest manifest{
      .media_type = std::string(oci::media_type::image_manifest),
      .config = *config,
      .layers = {*document},
      .artifact_type = attachment.media_type,
      .subject = oci::Descriptor{.media_type = subject.media_type, .digest = subject.digest, .size = subject.size},
      .annotations = attachment.annotations};
  oci::StoredImage artifact{.manifest = oci::manifest_bytes(manifest),
                            .media_type = manifest.media_type,
                            .digest = {},
                            .config = manifest.config,
                            .layers = manifest.layers,
                            .platform = {},
                            .blobs = store.blobs()};
  artifact.digest = oci::Digest::of(artifact.manifest);
  return artifact;
}

bool has_sbom(const std::vector<oci::Descriptor>& referrers, std::string_view version) {
  return std::ranges::any_of(referrers, [&](const oci::Descriptor& referrer) {
    const auto made_by = referrer.annotations.find(std::string(version_annotation));
    return referrer.artifact_type == spdx_media_type && made_by != referrer.annotations.end() &&
           made_by->second == version;
  });
}

}  // namespace deployctl::sbom
