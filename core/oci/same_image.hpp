// Whether two images are the same for whoever runs them. A build labels its image with the commit and the time, so that
// another commit gives every image another digest, also where nothing in it has changed. What cannot be judged here is
// another image.
#pragma once

#include "core/oci/image.hpp"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace deployctl::oci {

// The same layers in the same order, of images that can be run; their configurations are still to be compared.
bool have_same_layers(const ImageManifest& one, const ImageManifest& other);

// Two image configurations, as they are stored, that differ in nothing but how they came to be: when and of which
// commit (`created`, `history`, the labels org.opencontainers.image.revision, .created and .version), and what engines
// note of the build.
bool have_same_settings(std::string_view one, std::string_view other);

// The images of two indexes by platform, without attestations; nothing when they are not for the same platforms, or
// one has none, or several for a platform.
std::optional<std::vector<std::pair<Descriptor, Descriptor>>> paired_by_platform(const ImageIndex& one,
                                                                                 const ImageIndex& other);

}  // namespace deployctl::oci
