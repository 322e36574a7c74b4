#include "core/images/description.hpp"

#include "core/oci/platform.hpp"

#include <algorithm>

namespace deployctl::images {
namespace {

using base::Error;
using base::Result;

// Steps that made no layer are in the history too.
std::vector<LayerDescription> layers_of(const Image& image, const oci::ImageConfig* config) {
  std::vector<LayerDescription> layers;
  auto step = config != nullptr ? config->history.begin() : std::vector<oci::HistoryEntry>::const_iterator();
  for (const auto& layer : image.manifest.layers) {
    std::string created_by;
    if (config != nullptr) {
      step = std::find_if(step, config->history.end(), [](const auto& entry) { return !entry.is_empty_layer; });
      created_by = step == config->history.end() ? "" : (step++)->created_by;
    }
    layers.push_back({.blob = layer, .created_by = std::move(created_by)});
  }
  return layers;
}

// Those that can be described; one that turns out to be missing joins set.missing.
Result<std::vector<ImageDescription>> describe_images(Source& source, ImageSet& set,
                                                      const std::optional<oci::Platform>& platform) {
  std::vector<const Image*> wanted;
  if (platform) {
    const auto chosen = choose_image(set, platform);
    if (!chosen) {
      return chosen.error();
    }
    wanted.push_back(*chosen);
  } else {
    std::ranges::transform(set.images, std::back_inserter(wanted), [](const Image& image) { return &image; });
  }
  std::vector<ImageDescription> images;
  for (const auto* image : wanted) {
    auto description = describe_image(source, *image);
    if (description) {
      images.push_back(*std::move(description));
    } else if (set.index && !platform && is_missing(description.error())) {
      set.missing.push_back({.manifest = image->document.descriptor, .reason = description.error()});
    } else {
      return description.error();
    }
  }
  return images;
}

void find_referrers(Source& source, Description& description) {
  std::vector<oci::Digest> subjects{description.root.digest};
  for (const auto& image : description.images) {
    if (image.manifest.digest != description.root.digest) {
      subjects.push_back(image.manifest.digest);
    }
  }
  for (const auto& subject : subjects) {
    const auto found = source.referrers(subject);
    if (!found) {
      description.referrers_problem = found.error();
      return;
    }
    for (const auto& manifest : *found) {
      description.referrers.push_back({.manifest = manifest, .subject = subject});
    }
  }
}

}  // namespace

std::uint64_t ImageDescription::total_size() const {
  auto total = manifest.size + config_blob.size;
  for (const auto& layer : layers) {
    total += layer.blob.size;
  }
  return total;
}

Result<ImageDescription> describe_image(Source& source, const Image& image) {
  ImageDescription description{.manifest = image.document.descriptor,
                               .artifact_type = image.manifest.artifact_type,
                               .config_blob = image.manifest.config,
                               .config = {},
                               .layers = {},
                               .annotations = image.manifest.annotations};
  if (oci::is_config_type(image.manifest.config.media_type)) {
    const auto bytes = read_blob(source, image.manifest.config, oci::longest_config);
    const auto config = bytes ? oci::parse_config(*bytes) : Result<oci::ImageConfig>(bytes.error());
    if (!config) {
      return config.error().within("the image configuration {}", image.manifest.config.digest.brief());
    }
    description.config = *config;
    description.manifest.platform = description.manifest.platform.value_or(config->platform);
  } else if (description.artifact_type.empty()) {
    description.artifact_type = image.manifest.config.media_type;
  }
  description.layers = layers_of(image, description.config ? &*description.config : nullptr);
  return description;
}

Result<Description> describe(Source& source, const std::optional<oci::Platform>& platform) {
  auto set = read_images(source, Attestations::skipped, Wanted::those_there);
  if (!set) {
    return set.error();
  }
  auto images = describe_images(source, *set, platform);
  if (!images) {
    return images.error();
  }
  Description description{.root = set->root.descriptor,
                          .is_index = set->index.has_value(),
                          .annotations = set->index ? set->index->annotations : images->front().annotations,
                          .images = *std::move(images),
                          .missing = platform ? std::vector<MissingImage>() : set->missing,
                          .referrers = {},
                          .referrers_problem = {}};
  if (!description.is_index && platform && description.images.front().manifest.platform &&
      !oci::is_for(*platform, *description.images.front().manifest.platform)) {
    return Error::not_found("there is no image for {}: this one is for {}", to_string(*platform),
                            to_string(*description.images.front().manifest.platform));
  }
  find_referrers(source, description);
  return description;
}

}  // namespace deployctl::images
