// The three JSON documents of an image: manifest, index and configuration (image-spec manifest.md, image-index.md,
// config.md). What was read from elsewhere is sent on as the exact bytes it was read from.
#pragma once

#include "core/base/result.hpp"
#include "core/json/reader.hpp"
#include "core/oci/descriptor.hpp"
#include "core/oci/image_config.hpp"

#include <map>
#include <optional>
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
  std::string artifact_type = {};          // what it is when it is no runnable image
  std::optional<Descriptor> subject = {};  // the manifest it says something about, as an SBOM does
  std::map<std::string, std::string> annotations = {};
};

struct ImageIndex {
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::string artifact_type = {};
  std::optional<Descriptor> subject = {};
  std::map<std::string, std::string> annotations = {};
};

using Document = std::variant<ImageManifest, ImageIndex>;

// Reads a manifest or an index. `content_type` is what it was served as, without parameters, or empty: it must agree
// with the document's own mediaType. A document that could be taken for both is refused.
base::Result<Document> parse_document(std::string_view bytes, std::string_view content_type = {});

// A document's bytes; the same values give the same bytes. What is empty is left out.
std::string manifest_bytes(const ImageManifest& manifest);
std::string index_bytes(const ImageIndex& index);

// A descriptor as it stands in a document, and back. failed with the path of what is missing or wrong.
json::Value to_json(const Descriptor& descriptor);
base::Result<Descriptor> descriptor_from_json(const json::Reader& value);

// What builders put beside the images of an index: their own records, for no platform.
bool is_attestation(const Descriptor& entry);

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

// The same for several platforms: an index and the images it lists.
struct StoredIndex {
  std::string bytes;  // exact
  std::string media_type;
  Digest digest;
  std::vector<StoredImage> images;
};

using AnyImage = std::variant<StoredImage, StoredIndex>;

}  // namespace deployctl::oci
