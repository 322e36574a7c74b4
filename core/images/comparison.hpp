// What changed from one image to another: by setting, by layer and by file.
#pragma once

#include "core/images/image_set.hpp"
#include "core/json/value.hpp"
#include "core/oci/file_tree.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::images {

struct LayerChange {
  enum class Kind { shared, removed, added };
  Kind kind = Kind::shared;
  oci::Descriptor blob;    // as the later image has it, where both have it
  std::string created_by;  // may be empty
};

struct FileChange {
  enum class Kind { removed, added, changed };
  Kind kind = Kind::changed;
  std::string path;                     // from the image's root
  std::optional<oci::FileNode> before;  // nothing when it was added
  std::optional<oci::FileNode> after;   // nothing when it was removed

  // How much larger the image's files are by it.
  [[nodiscard]] std::int64_t size_delta() const;
};

struct ComparedImage {
  oci::Descriptor manifest;
  std::uint64_t total_size = 0;  // compressed, with manifest and configuration
};

struct Comparison {
  ComparedImage before;
  ComparedImage after;
  std::vector<json::Difference> settings;  // of the configuration, but when it was made
  std::vector<LayerChange> layers;         // in the later image's order, a removed one where it stood
  std::vector<FileChange> files;           // the largest difference in size first

  [[nodiscard]] bool is_same() const;
};

// Files that differ in kind, content, size, mode, owner or where a link points. A time alone is no difference, and a
// directory that only comes or goes with what is in it is not listed.
std::vector<FileChange> compare_files(const oci::FileTree& before, const oci::FileTree& after);

// Reads what is needed of both images' layers, each layer once, and nothing of those at the bottom that both have where
// the others cannot have changed anything of them.
base::Result<Comparison> compare(Source& before, Source& after, const std::optional<oci::Platform>& platform,
                                 const OnProgress& on_progress = {});

std::string_view to_string(LayerChange::Kind kind);  // "shared"
std::string_view to_string(FileChange::Kind kind);   // "added"

}  // namespace deployctl::images
