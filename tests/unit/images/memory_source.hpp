// Images in memory, made layer by layer, that count what is read of them.
#pragma once

#include "core/images/source.hpp"
#include "core/oci/image_config.hpp"
#include "tests/support/tar_bytes.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace deployctl::images {

class MemorySource final : public Source {
 public:
  oci::Descriptor add_blob(const std::string& bytes, std::string_view media_type) {
    oci::Descriptor blob{.media_type = std::string(media_type), .digest = oci::Digest::of(bytes), .size = bytes.size()};
    contents_[blob.digest.text()] = bytes;
    return blob;
  }

  // An image of these tars, lowest first; it becomes the root.
  oci::Descriptor add_image(const std::vector<std::string>& layers, oci::ImageConfig config = {}) {
    if (config.platform.os.empty()) {
      config.platform = {.os = "linux", .architecture = "amd64"};
    }
    oci::ImageManifest manifest{.media_type = std::string(oci::media_type::image_manifest)};
    for (const auto& layer : layers) {
      manifest.layers.push_back(add_blob(layer, oci::media_type::layer_tar));
      config.diff_ids.push_back(oci::Digest::of(layer));
    }
    manifest.config = add_blob(oci::config_bytes(config), oci::media_type::image_config);
    auto image = add_document(oci::manifest_bytes(manifest), manifest.media_type);
    image.platform = config.platform;
    return image;
  }

  // It becomes the root.
  oci::Descriptor add_index(const std::vector<oci::Descriptor>& manifests) {
    return add_document(
        oci::index_bytes({.media_type = std::string(oci::media_type::image_index), .manifests = manifests}),
        oci::media_type::image_index);
  }

  oci::Descriptor add_document(const std::string& bytes, std::string_view media_type) {
    root_ = {.bytes = bytes, .descriptor = add_blob(bytes, media_type)};
    return root_.descriptor;
  }

  void add_referrer(const oci::Digest& subject, oci::Descriptor manifest) {
    referrers_[subject.text()].push_back(std::move(manifest));
  }

  void lose(const oci::Digest& digest) { contents_.erase(digest.text()); }

  // Digests of the blobs that were read.
  [[nodiscard]] const std::multiset<std::string>& read() const { return read_; }

  [[nodiscard]] const Document& root() const override { return root_; }
  base::Result<Document> document(const oci::Descriptor& descriptor) override {
    const auto found = contents_.find(descriptor.digest.text());
    return found == contents_.end() ? base::Error::not_found("no manifest {}", descriptor.digest.text())
                                    : base::Result<Document>(Document{found->second, descriptor});
  }
  base::Status blob(const oci::Descriptor& descriptor, const oci::PieceSink& sink) override {
    read_.insert(descriptor.digest.text());
    const auto found = contents_.find(descriptor.digest.text());
    return found == contents_.end() ? base::Error::not_found("no blob {}", descriptor.digest.text())
                                    : sink(found->second);
  }
  base::Result<std::vector<oci::Descriptor>> referrers(const oci::Digest& subject) override {
    return referrers_[subject.text()];
  }
  [[nodiscard]] std::string blobs() const override { return {}; }

 private:
  Document root_;
  std::map<std::string, std::string> contents_;
  std::map<std::string, std::vector<oci::Descriptor>> referrers_;
  std::multiset<std::string> read_;
};

}  // namespace deployctl::images
