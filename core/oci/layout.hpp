// An OCI image layout: images in a directory (image-spec image-layout.md): oci-layout, index.json,
// blobs/<algorithm>/<hex>. Names of images are the annotation org.opencontainers.image.ref.name in index.json.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/image.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace deployctl::oci {

inline constexpr std::string_view layout_file = "oci-layout";
inline constexpr std::string_view layout_file_content = R"({"imageLayoutVersion":"1.0.0"})";
inline constexpr std::string_view layout_index_file = "index.json";
inline constexpr std::string_view layout_name = "org.opencontainers.image.ref.name";

// The entry of an index.json with that name, or the only one there is when `name` is empty. not_found, with the names
// there are, otherwise.
base::Result<Descriptor> find_in_index(const ImageIndex& index, std::string_view name);

// The index with the descriptor under that name; what had the name before, or is the same unnamed entry, is replaced.
ImageIndex with_entry(ImageIndex index, Descriptor descriptor, std::string_view name);

class Layout {
 public:
  // not_found when there is no such directory, failed when it is no layout.
  static base::Result<Layout> open(const std::string& directory);
  // The same, and a directory that is not there or is empty becomes a layout.
  static base::Result<Layout> open_or_make(const std::string& directory);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  // What index.json lists; nothing in a new layout.
  [[nodiscard]] const ImageIndex& index() const { return index_; }
  // The directory that holds sha256/<hex>.
  [[nodiscard]] std::string blobs() const { return directory_ + "/blobs"; }
  // Makes `name` stand for what the descriptor names, whose blobs have to be here, and writes index.json.
  base::Status put(const Descriptor& descriptor, std::string_view name);

 private:
  Layout(std::string directory, ImageIndex index) : directory_(std::move(directory)), index_(std::move(index)) {}

  std::string directory_;
  ImageIndex index_;
};

// The bytes of a manifest, an index or a configuration in a directory with sha256/<hex>, checked against the
// descriptor.
base::Result<std::string> read_document(const std::string& blobs, const Descriptor& descriptor);

// The image, or the index with its images, behind a descriptor there, ready to be pushed; every document is checked.
using Stored = std::variant<StoredImage, StoredIndex>;
base::Result<Stored> stored(const std::string& blobs, const Descriptor& descriptor);

}  // namespace deployctl::oci
