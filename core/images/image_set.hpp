// The images a location names: one, or those of an index, with their manifests read.
#pragma once

#include "core/images/source.hpp"
#include "core/oci/image.hpp"

#include <optional>
#include <vector>

namespace deployctl::images {

struct Image {
  Document document;  // its descriptor has the platform where an index says it
  oci::ImageManifest manifest;
};

struct ImageSet {
  Document root;
  std::optional<oci::ImageIndex> index;  // the root, when it is one
  std::vector<Image> images;             // runnable ones, in the index's order
  std::vector<Document> indexes;         // those inside the root
  std::vector<Image> attestations;       // what builders put beside the images, when it was asked for
};

enum class Attestations { skipped, read };

// An index inside an index is followed a few levels deep.
base::Result<ImageSet> read_images(Source& source, Attestations attestations = Attestations::skipped);

// The one for the platform; without a platform the only one, or the one for this machine. not_found, with the platforms
// there are, otherwise.
base::Result<const Image*> choose_image(const ImageSet& set, const std::optional<oci::Platform>& platform);

}  // namespace deployctl::images
