// The files of an image: its layers laid over one another, whiteouts applied (image-spec layer.md, "Applying
// Changesets"). Only what is known about the files is kept, never what is in them.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/digest.hpp"
#include "core/oci/layer_reader.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace deployctl::oci {

struct FileNode {
  enum class Kind { file, directory, symlink, device, fifo };
  Kind kind = Kind::file;
  std::uint64_t size = 0;  // of a file
  std::uint32_t mode = 0;  // permission, set-id and sticky bits
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 0;   // seconds since 1970
  std::string link_target;  // of a symbolic link; of a file that shares its content with another, that one's path
  Digest content;           // of a file, when it was asked for
  std::size_t layer = 0;    // the one it comes from, 0 the lowest

  // A hard link: its bytes are counted where it points.
  [[nodiscard]] bool shares_content() const { return kind == Kind::file && !link_target.empty(); }
};

std::string_view to_string(FileNode::Kind kind);  // "symlink"

// What one layer says: what it adds or replaces, by path from the root ("usr/bin/env"), and what it hides of those
// below.
struct LayerChanges {
  std::map<std::string, FileNode> nodes;
  std::set<std::string> whiteouts;
  std::set<std::string> opaques;  // directories

  // Bytes of its files, hard links not counted.
  [[nodiscard]] std::uint64_t total_size() const;
};

enum class Contents { ignored, hashed };

// Reads a layer's entries; with Contents::hashed every file's digest too.
base::Result<LayerChanges> read_layer_changes(const BlobSource& source, Contents contents, LayerLimits limits = {});

class FileTree {
 public:
  // Lays a layer over those added before.
  void add(LayerChanges layer);

  // By path from the root, sorted bytewise. Directories that no layer names but that hold something are there too.
  [[nodiscard]] const std::map<std::string, FileNode>& nodes() const { return nodes_; }
  // Null when there is none.
  [[nodiscard]] const FileNode* find(const std::string& path) const;
  [[nodiscard]] std::size_t layer_count() const { return layers_; }

 private:
  void hide_below(const std::string& directory);
  void make_parents(const std::string& path);

  std::map<std::string, FileNode> nodes_;
  std::size_t layers_ = 0;
};

}  // namespace deployctl::oci
