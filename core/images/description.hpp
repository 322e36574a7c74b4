// What there is to know about an image without looking into its layers: documents, sizes, settings, what refers to it.
#pragma once

#include "core/images/image_set.hpp"
#include "core/oci/image.hpp"

#include <optional>
#include <string>
#include <vector>

namespace deployctl::images {

struct LayerDescription {
  oci::Descriptor blob;
  std::string created_by;  // from the configuration's history; empty when it does not say
};

struct ImageDescription {
  oci::Descriptor manifest;   // with the platform
  std::string artifact_type;  // of what is no image to run: an SBOM, a chart
  oci::Descriptor config_blob;
  std::optional<oci::ImageConfig> config;  // nothing for an artifact
  std::vector<LayerDescription> layers;
  std::map<std::string, std::string> annotations;

  // Of everything that is fetched to run it, compressed.
  [[nodiscard]] std::uint64_t total_size() const;
};

struct Referrer {
  oci::Descriptor manifest;
  oci::Digest subject;
};

struct Description {
  oci::Descriptor root;  // an index or a single image
  bool is_index = false;
  std::map<std::string, std::string> annotations;
  std::vector<ImageDescription> images;          // those asked for
  std::vector<MissingImage> missing;             // those asked for that the index lists and that are not there
  std::vector<Referrer> referrers;               // to the root and to the images
  std::optional<base::Error> referrers_problem;  // why not all of them are known
};

// One image, its configuration read.
base::Result<ImageDescription> describe_image(Source& source, const Image& image);

// All images there are, or the one for the platform. An index without some of its images is described by the others.
base::Result<Description> describe(Source& source, const std::optional<oci::Platform>& platform);

}  // namespace deployctl::images
