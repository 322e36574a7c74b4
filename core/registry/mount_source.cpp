#include "core/registry/mount_source.hpp"

#include "core/oci/image_config.hpp"

#include <map>

namespace deployctl::registry {
namespace {

constexpr std::string_view base_name = "org.opencontainers.image.base.name";

using Texts = std::map<std::string, std::string>;

std::string base_in(const Texts& texts) {
  const auto found = texts.find(std::string(base_name));
  return found == texts.end() ? std::string() : found->second;
}

Texts annotations_of(const oci::StoredImage& image) {
  const auto document = oci::parse_document(image.manifest, image.media_type);
  const auto* manifest = document ? std::get_if<oci::ImageManifest>(&*document) : nullptr;
  return manifest ? manifest->annotations : Texts();
}

base::Result<std::string> configuration_of(const oci::StoredImage& image, const Ports& ports) {
  const auto body = ports.open_file(image.blob_path(image.config.digest));
  if (!body) {
    return body.error();
  }
  if ((*body)->size() > oci::longest_config) {
    return base::Error::failed("the configuration is too long");
  }
  std::string bytes((*body)->size(), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const auto count = (*body)->read(bytes.data() + at, bytes.size() - at);
    if (!count || *count == 0) {
      return count ? base::Error::failed("the configuration became shorter") : count.error();
    }
    at += *count;
  }
  return bytes;
}

Texts labels_of(const oci::StoredImage& image, const Ports& ports) {
  const auto bytes = oci::is_config_type(image.config.media_type) ? configuration_of(image, ports)
                                                                  : base::Result<std::string>(std::string());
  const auto config = bytes ? oci::parse_config(*bytes) : bytes.error();
  return config ? config->settings.labels : Texts();
}

}  // namespace

std::string mount_source(const oci::StoredImage& image, const oci::Reference& target, const Ports& ports) {
  auto name = base_in(annotations_of(image));
  name = name.empty() ? base_in(labels_of(image, ports)) : name;
  const auto base = oci::Reference::parse(name);
  const bool is_elsewhere_in_it = base && base->registry == target.registry && base->repository != target.repository;
  return is_elsewhere_in_it ? base->repository : std::string();
}

}  // namespace deployctl::registry
