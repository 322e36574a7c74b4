// What a piece of content is, how long, and under which digest (image-spec descriptor.md); and the media types we know.
#pragma once

#include "core/oci/digest.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace deployctl::oci {

namespace media_type {
inline constexpr std::string_view image_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view image_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view image_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view layer_tar = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_manifest_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view docker_layer_gzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
}  // namespace media_type

bool is_manifest_type(std::string_view media_type);  // one image, OCI's or Docker's
bool is_index_type(std::string_view media_type);     // several, OCI's or Docker's

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  friend bool operator==(const Platform&, const Platform&) = default;
};

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;
  std::string artifact_type = {};  // of a manifest that is no runnable image: "application/spdx+json"

  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

}  // namespace deployctl::oci
