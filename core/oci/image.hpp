// The three JSON documents of an image: manifest, index and configuration (image-spec manifest.md, image-index.md,
// config.md). They are read here; what is sent on are always the exact bytes they were read from.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/descriptor.hpp"
#include "core/oci/image_config.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace deployctl::oci {

inline constexpr std::size_t longest_manifest = 4u << 20u;

struct ImageManifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;
};

struct ImageIndex {
  std::string media_type;
  std::vector<Descriptor> manifests;
};

using Document = std::variant<ImageManifest, ImageIndex>;

// Reads a manifest or an index. `content_type` is what it was served as, without parameters, or empty: it must agree
// with the document's own mediaType. A document that could be taken for both is refused.
base::Result<Document> parse_document(std::string_view bytes, std::string_view content_type = {});

// The manifest's bytes for a configuration and its layers; the same values give the same bytes.
std::string manifest_bytes(const ImageManifest& manifest);

// An image whose blobs lie in a directory, ready to be pushed.
struct StoredImage {
  std::string manifest;  // exact bytes
  std::string media_type;
  Digest digest;      // of the manifest
  Descriptor config;  // its digest is what docker calls the image id
  std::vector<Descriptor> layers;
  Platform platform;
  std::string blobs;  // directory that holds sha256/<hex>; a file may be missing when the registry is known to have it

  [[nodiscard]] std::string blob_path(const Digest& digest) const;
  // Of everything a registry has to hold, the manifest included.
  [[nodiscard]] std::uint64_t total_size() const;
};

}  // namespace deployctl::oci
