// The image that a built one stands on: pulled once, its layers kept byte for byte.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/image_config.hpp"
#include "core/oci/image_store.hpp"
#include "core/registry/client.hpp"

#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::native {

// The word for no base at all.
inline constexpr std::string_view scratch = "scratch";

struct BaseImage {
  std::string name;    // as the user wrote it; empty for scratch
  oci::Digest digest;  // of its manifest, or of the index it was chosen from
  oci::ImageConfig config;
  std::vector<oci::Descriptor> layers;

  // What is in it, as far as anybody asks.
  bool has_certificates = false;
  std::set<std::string> libraries;  // names of shared libraries: "libc.so.6"
  std::uint64_t unpacked_size = 0;

  [[nodiscard]] bool is_scratch() const { return name.empty(); }
};

// The base for one platform. Nothing is fetched for scratch; layers that lie in the store are not fetched again; a
// reference with a digest that was pulled before needs no registry. refused when the registry's image is for another
// platform.
base::Result<BaseImage> pull_base(const std::string& reference, const oci::Platform& platform,
                                  registry::Client& registry, oci::ImageStore& store, std::stop_token stop);

}  // namespace deployctl::native
