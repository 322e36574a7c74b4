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

Result<std::vector<Descriptor>> descriptors_of(const json::Reader& value) {
  std::vector<Descriptor> descriptors;
  for (const auto& element : value.elements()) {
    auto descriptor = descriptor_from_json(element);
    if (!descriptor) {
      return descriptor.error();
    }
    descriptors.push_back(*descriptor);
  }
  return descriptors;
}

std::map<std::string, std::string> strings_of(const json::Reader& value) {
  std::map<std::string, std::string> strings;
  for (const auto& [name, text] : value.members()) {
    strings.emplace(name, text.string_or());
  }
  return strings;
}

Result<std::optional<Descriptor>> subject_of(const json::Reader& root) {
  if (!root.at("subject").is_object()) {
    return std::optional<Descriptor>();
  }
  auto subject = descriptor_from_json(root.at("subject"));
  return subject ? Result(std::optional(std::move(*subject))) : subject.error();
}

Result<Document> manifest_of(const json::Reader& root, std::string media_type) {
  auto config = descriptor_from_json(root.at("config"));
  auto layers = descriptors_of(root.at("layers"));
  auto subject = subject_of(root);
  if (!config || !layers || !subject) {
    return !config ? config.error() : !layers ? layers.error() : subject.error();
  }
  return Document(ImageManifest{.media_type = std::move(media_type),
                                .config = *config,
                                .layers = *layers,
                                .artifact_type = root.at("artifactType").string_or(),
                                .subject = *subject,
                                .annotations = strings_of(root.at("annotations"))});
}

Result<Document> index_of(const json::Reader& root, std::string media_type) {
  auto manifests = descriptors_of(root.at("manifests"));
  auto subject = subject_of(root);
  if (!manifests || !subject) {
    return !manifests ? manifests.error() : subject.error();
  }
  return Document(ImageIndex{.media_type = std::move(media_type),
                             .manifests = *manifests,
                             .artifact_type = root.at("artifactType").string_or(),
                             .subject = *subject,
                             .annotations = strings_of(root.at("annotations"))});
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

json::Value to_json(const std::map<std::string, std::string>& strings) {
  auto value = json::Value::object();
  for (const auto& [name, text] : strings) {
    value[name] = text;
  }
  return value;
}

json::Value to_json(const std::vector<Descriptor>& descriptors) {
  auto list = json::Value::array();
  for (const auto& descriptor : descriptors) {
    list.push_back(oci::to_json(descriptor));
  }
  return list;
}

json::Value to_json(const Platform& platform) {
  json::Value value = {{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.variant.empty()) {
    value["variant"] = platform.variant;
  }
  return value;
}

// What manifests and indexes end with.
template <typename Document>
void add_common(json::Value& value, const Document& document) {
  if (document.subject) {
    value["subject"] = oci::to_json(*document.subject);
  }
  if (!document.annotations.empty()) {
    value["annotations"] = to_json(document.annotations);
  }
}

json::Value head_of(const std::string& media_type, const std::string& artifact_type) {
  json::Value value = {{"schemaVersion", 2}, {"mediaType", media_type}};
  if (!artifact_type.empty()) {
    value["artifactType"] = artifact_type;
  }
  return value;
}

}  // namespace

Result<Document> parse_document(std::string_view bytes, std::string_view content_type) {
  const auto value = json::parse(bytes, "the image manifest", {.bytes = longest_manifest, .depth = 32});
  if (!value) {
    return value.error();
  }
  const json::Reader root(*value);
  if (!root.is_object()) {
    return Error::failed("the image manifest is no JSON object");
  }
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
  auto value = head_of(manifest.media_type, manifest.artifact_type);
  value["config"] = to_json(manifest.config);
  value["layers"] = to_json(manifest.layers);
  add_common(value, manifest);
  return json::to_compact_text(value);
}

std::string index_bytes(const ImageIndex& index) {
  auto value = head_of(index.media_type, index.artifact_type);
  value["manifests"] = to_json(index.manifests);
  add_common(value, index);
  return json::to_compact_text(value);
}

json::Value to_json(const Descriptor& descriptor) {
  json::Value value = {
      {"mediaType", descriptor.media_type}, {"size", descriptor.size}, {"digest", descriptor.digest.text()}};
  if (!descriptor.annotations.empty()) {
    value["annotations"] = to_json(descriptor.annotations);
  }
  if (descriptor.platform) {
    value["platform"] = to_json(*descriptor.platform);
  }
  if (!descriptor.artifact_type.empty()) {
    value["artifactType"] = descriptor.artifact_type;
  }
  return value;
}

Result<Descriptor> descriptor_from_json(const json::Reader& value) {
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
                        .annotations = strings_of(value.at("annotations")),
                        .artifact_type = value.at("artifactType").string_or()};
  if (value.at("platform").is_object()) {
    descriptor.platform = platform_of(value.at("platform"));
  }
  return descriptor;
}

bool is_attestation(const Descriptor& entry) {
  return entry.annotations.contains("vnd.docker.reference.type") ||
         (entry.platform && entry.platform->os == "unknown" && entry.platform->architecture == "unknown");
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
