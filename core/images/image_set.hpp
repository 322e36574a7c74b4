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

// One that the index lists and the source does not have, or not whole.
struct MissingImage {
  oci::Descriptor manifest;  // as the index lists it
  base::Error reason;
};

struct ImageSet {
  Document root;
  std::optional<oci::ImageIndex> index;  // the root, when it is one
  std::vector<Image> images;             // runnable ones, in the index's order
  std::vector<Document> indexes;         // those inside the root
  std::vector<Image> attestations;       // what builders put beside the images, when it was asked for
  std::vector<MissingImage> missing;     // when they do not stop the reading
};

enum class Attestations { skipped, read };
// Whether a set is wanted with all its images, or with those there are.
enum class Wanted { all, those_there };

// An index inside an index is followed a few levels deep.
base::Result<ImageSet> read_images(Source& source, Attestations attestations = Attestations::skipped,
                                   Wanted wanted = Wanted::all);

// Whether the error means that what was to be read is not there or damaged, and not that nobody could be asked.
bool is_missing(const base::Error& error);

// The one for the platform; without a platform the only one, or the one for this machine. not_found, with the platforms
// there are, otherwise; the reason why it is missing where it is.
base::Result<const Image*> choose_image(const ImageSet& set, const std::optional<oci::Platform>& platform);

}  // namespace deployctl::images
