#include "core/oci/same_image.hpp"

#include "core/json/value.hpp"
#include "core/oci/image_config.hpp"
#include "core/oci/platform.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace deployctl::oci {
namespace {

using Images = std::map<std::string, Descriptor>;  // by platform

constexpr std::array labels_of_making{"org.opencontainers.image.revision", "org.opencontainers.image.created",
                                      "org.opencontainers.image.version"};
// The last two are of Docker's classic builder: the container in which the last step of the build ran.
constexpr std::array notes_of_making{"created", "history", "container", "container_config"};
// Also of the classic builder: what the last step began with.
constexpr const char* parent_image = "Image";
// Of BuildKit: what a build was given, and which of its steps are in the image for the next build to find.
constexpr std::string_view buildkit_notes = "moby.buildkit.";

bool is_image_to_run(const ImageManifest& manifest) {
  return manifest.artifact_type.empty() && is_config_type(manifest.config.media_type);
}

void leave_out_labels(json::Value& settings) {
  const auto labels = settings.find("Labels");
  if (labels == settings.end()) {
    return;
  }
  if (labels->is_object()) {
    for (const auto* const label : labels_of_making) {
      labels->erase(label);
    }
  }
  if (labels->empty()) {
    settings.erase("Labels");
  }
}

void leave_out_notes(json::Value& config) {
  for (const auto* const note : notes_of_making) {
    config.erase(note);
  }
  std::vector<std::string> notes;
  for (const auto& member : config.items()) {
    if (member.key().starts_with(buildkit_notes)) {
      notes.push_back(member.key());
    }
  }
  for (const auto& note : notes) {
    config.erase(note);
  }
}

// The configuration as text without what tells of its making; nothing when it is none.
std::optional<std::string> settings_of(std::string_view bytes) {
  auto config = json::parse(bytes, "the image configuration", {.bytes = longest_config, .depth = 64});
  if (!config || !config->is_object()) {
    return std::nullopt;
  }
  leave_out_notes(*config);
  if (const auto settings = config->find("config"); settings != config->end() && settings->is_object()) {
    settings->erase(parent_image);
    leave_out_labels(*settings);
  }
  return json::to_canonical_text(*config);
}

// Nothing when it has none, or two for one platform, as there are for several versions of Windows.
std::optional<Images> images_of(const ImageIndex& index) {
  Images images;
  for (const auto& entry : index.manifests) {
    if (is_attestation(entry)) {
      continue;
    }
    if (!images.emplace(to_string(entry.platform.value_or(Platform())), entry).second) {
      return std::nullopt;
    }
  }
  return images.empty() ? std::nullopt : std::optional(images);
}

}  // namespace

bool have_same_layers(const ImageManifest& one, const ImageManifest& other) {
  return is_image_to_run(one) && is_image_to_run(other) &&
         std::ranges::equal(one.layers, other.layers, {}, &Descriptor::digest, &Descriptor::digest);
}

bool have_same_settings(std::string_view one, std::string_view other) {
  const auto settings = settings_of(one);
  return settings && settings == settings_of(other);
}

std::optional<std::vector<std::pair<Descriptor, Descriptor>>> paired_by_platform(const ImageIndex& one,
                                                                                 const ImageIndex& other) {
  const auto images = images_of(one);
  const auto others = images_of(other);
  const auto platform = &Images::value_type::first;
  if (!images || !others || !std::ranges::equal(*images, *others, {}, platform, platform)) {
    return std::nullopt;
  }
  std::vector<std::pair<Descriptor, Descriptor>> pairs;
  for (auto left = images->begin(), right = others->begin(); left != images->end(); ++left, ++right) {
    pairs.emplace_back(left->second, right->second);
  }
  return pairs;
}

}  // namespace deployctl::oci
