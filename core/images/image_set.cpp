#include "core/images/image_set.hpp"

#include "core/base/text.hpp"
#include "core/oci/platform.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::images {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr int deepest_index = 3;
constexpr std::size_t most_manifests = 1000;

Result<oci::Document> parsed(const Document& document) {
  auto read = oci::parse_document(document.bytes, document.descriptor.media_type);
  return read ? std::move(read) : read.error().within("{}", document.descriptor.digest.text());
}

class Collector {
 public:
  Collector(Source& source, Attestations attestations, Wanted wanted, ImageSet& set)
      : source_(source), attestations_(attestations), wanted_(wanted), set_(set) {}

  Status collect(const oci::ImageIndex& index, int depth) {
    if (depth == deepest_index) {
      return Error::failed("indexes lie more than {} deep in one another", deepest_index);
    }
    for (const auto& entry : index.manifests) {
      if (oci::is_attestation(entry) && attestations_ == Attestations::skipped) {
        continue;
      }
      if (const auto taken = take(entry, depth); !taken) {
        return taken;
      }
    }
    return {};
  }

 private:
  Status take(const oci::Descriptor& entry, int depth) {
    if (++taken_ > most_manifests) {
      return Error::failed("the image index lists more than {} manifests", most_manifests);
    }
    auto document = source_.document(entry);
    const auto read = document ? parsed(*document) : Result<oci::Document>(document.error());
    if (!read && wanted_ == Wanted::those_there && is_missing(read.error())) {
      set_.missing.push_back({.manifest = entry, .reason = read.error()});
      return {};
    }
    if (!read) {
      return read.error();
    }
    if (const auto* inner = std::get_if<oci::ImageIndex>(&*read)) {
      set_.indexes.push_back(*std::move(document));
      return collect(*inner, depth + 1);
    }
    auto& images = oci::is_attestation(entry) ? set_.attestations : set_.images;
    images.push_back({*std::move(document), std::get<oci::ImageManifest>(*read)});
    return {};
  }

  Source& source_;
  Attestations attestations_;
  Wanted wanted_;
  ImageSet& set_;
  std::size_t taken_ = 0;
};

std::string platforms_of(const ImageSet& set) {
  std::vector<std::string> names;
  for (const auto& image : set.images) {
    const auto& platform = image.document.descriptor.platform;
    names.push_back(platform ? base::printable(to_string(*platform)) : image.document.descriptor.digest.text());
  }
  return base::join(names, ", ");
}

}  // namespace

bool is_missing(const Error& error) {
  return error.code == base::ErrorCode::not_found || error.code == base::ErrorCode::failed;
}

Result<ImageSet> read_images(Source& source, Attestations attestations, Wanted wanted) {
  ImageSet set{.root = source.root(), .index = {}, .images = {}, .indexes = {}, .attestations = {}, .missing = {}};
  auto root = parsed(set.root);
  if (!root) {
    return root.error();
  }
  if (auto* manifest = std::get_if<oci::ImageManifest>(&*root)) {
    set.images.push_back({set.root, std::move(*manifest)});
    return set;
  }
  set.index = std::get<oci::ImageIndex>(*root);
  const auto collected = Collector(source, attestations, wanted, set).collect(*set.index, 0);
  return collected ? Result<ImageSet>(std::move(set)) : collected.error();
}

Result<const Image*> choose_image(const ImageSet& set, const std::optional<oci::Platform>& platform) {
  if (set.images.size() == 1 && set.missing.empty() && !platform) {
    return &set.images.front();
  }
  const auto wanted = platform.value_or(oci::host_platform());
  for (const auto& image : set.images) {
    const auto& has = image.document.descriptor.platform;
    // A single image says its platform only in its configuration.
    if (!set.index || (has && oci::is_for(wanted, *has))) {
      return &image;
    }
  }
  for (const auto& [manifest, reason] : set.missing) {
    if (manifest.platform && oci::is_for(wanted, *manifest.platform)) {
      return reason.within("the image for {}", to_string(wanted));
    }
  }
  return Error::not_found("there is no image for {}: the index lists {}", to_string(wanted), platforms_of(set));
}

}  // namespace deployctl::images
