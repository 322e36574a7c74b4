#include "core/oci/image.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;

Platform platform_of(const json::Reader& value) {
  return {.os = value.at("os").string_or(),
          .architecture = value.at("architecture").string_or(),
          .variant = value.at("variant").string_or()};
}

Result<Descriptor> descriptor_of(const json::Reader& value) {
  const auto media_type = value.at("mediaType").required_string();
  const auto digest_text = value.at("digest").required_string();
  const auto size = value.at("size").required_integer();
  if (!media_type || !digest_text || !size) {
    return !media_type ? media_type.error() : !digest_text ? digest_text.error() : size.error();
  }
  auto digest = Digest::parse(*digest_text);
  if (!digest) {
    return digest.error().within("{}", value.path());
  }
  if (*size < 0) {
    return Error::failed("{}.size is negative", value.path());
  }
  Descriptor descriptor{.media_type = *media_type,
                        .digest = *digest,
                        .size = static_cast<std::uint64_t>(*size),
                        .platform = {},
                        .annotations = {}};
  if (value.at("platform").is_object()) {
    descriptor.platform = platform_of(value.at("platform"));
  }
  for (const auto& [name, text] : value.at("annotations").members()) {
    descriptor.annotations.emplace(name, text.string_or());
  }
  return descriptor;
}

Result<std::vector<Descriptor>> descriptors_of(const json::Reader& value) {
  std::vector<Descriptor> descriptors;
  for (const auto& element : value.elements()) {
    auto descriptor = descriptor_of(element);
    if (!descriptor) {
      return descriptor.error();
    }
    descriptors.push_back(*descriptor);
  }
  return descriptors;
}

Result<Document> manifest_of(const json::Reader& root, std::string media_type) {
  auto config = descriptor_of(root.at("config"));
  auto layers = descriptors_of(root.at("layers"));
  if (!config || !layers) {
    return !config ? config.error() : layers.error();
  }
  return Document(ImageManifest{.media_type = std::move(media_type), .config = *config, .layers = *layers});
}

Result<Document> index_of(const json::Reader& root, std::string media_type) {
  auto manifests = descriptors_of(root.at("manifests"));
  if (!manifests) {
    return manifests.error();
  }
  return Document(ImageIndex{.media_type = std::move(media_type), .manifests = *manifests});
}

// What the document says it is, or what it was served as when it does not say (OCI allows that).
Result<std::string> settled_type(const json::Reader& root, std::string_view content_type) {
  const auto own = root.at("mediaType").string_or();
  if (!own.empty() && !content_type.empty() && own != content_type) {
    return Error::failed("the image manifest says it is {}, but was served as {}", base::printable(own),
                         base::printable(content_type));
  }
  if (!own.empty() || !content_type.empty()) {
    return own.empty() ? std::string(content_type) : own;
  }
  return std::string(root.at("manifests").exists() ? media_type::image_index : media_type::image_manifest);
}

json::Value to_json(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type}, {"size", descriptor.size}, {"digest", descriptor.digest.text()}};
}

}  // namespace

Result<Document> parse_document(std::string_view bytes, std::string_view content_type) {
  const auto value = json::parse(bytes, "the image manifest", {.bytes = longest_manifest, .depth = 32});
  if (!value) {
    return value.error();
  }
  const json::Reader root(*value);
  // A document that is both could mean different images to different readers.
  if (root.at("manifests").exists() && (root.at("layers").exists() || root.at("config").exists())) {
    return Error::failed("the image manifest is both an index and a single image");
  }
  const auto type = settled_type(root, content_type);
  if (!type) {
    return type.error();
  }
  if (is_index_type(*type)) {
    return index_of(root, *type);
  }
  if (is_manifest_type(*type)) {
    return manifest_of(root, *type);
  }
  return Error::failed("'{}' is no type of image manifest that deployctl knows", base::printable(*type));
}

std::string manifest_bytes(const ImageManifest& manifest) {
  auto layers = json::Value::array();
  for (const auto& layer : manifest.layers) {
    layers.push_back(to_json(layer));
  }
  const json::Value value = {{"schemaVersion", 2},
                             {"mediaType", manifest.media_type},
                             {"config", to_json(manifest.config)},
                             {"layers", std::move(layers)}};
  return json::to_compact_text(value);
}

std::string StoredImage::blob_path(const Digest& blob) const {
  return fmt::format("{}/{}/{}", blobs, blob.algorithm(), blob.encoded());
}

std::uint64_t StoredImage::total_size() const {
  std::uint64_t total = manifest.size() + config.size;
  for (const auto& layer : layers) {
    total += layer.size;
  }
  return total;
}

}  // namespace deployctl::oci
