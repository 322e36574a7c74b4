// A layer is collected as a whole before it is laid over the others: a whiteout hides what is in lower layers only, and
// that must not depend on where in the layer it stands.
#include "core/oci/file_tree.hpp"

#include <optional>
#include <utility>

namespace deployctl::oci {
namespace {

constexpr std::uint32_t usual_directory_mode = 0755;

FileNode::Kind kind_of(LayerEntry::Kind kind) {
  switch (kind) {
    case LayerEntry::Kind::directory:
      return FileNode::Kind::directory;
    case LayerEntry::Kind::symlink:
      return FileNode::Kind::symlink;
    case LayerEntry::Kind::device:
      return FileNode::Kind::device;
    case LayerEntry::Kind::fifo:
      return FileNode::Kind::fifo;
    default:
      return FileNode::Kind::file;
  }
}

FileNode node_of(const LayerEntry& entry) {
  return {.kind = kind_of(entry.kind),
          .size = entry.size,
          .mode = entry.mode,
          .uid = entry.uid,
          .gid = entry.gid,
          .mtime = entry.mtime,
          .link_target = entry.link_target,
          .content = {}};
}

// The link stands for what `target` is.
void share(FileNode& link, const FileNode& target) {
  link.kind = target.kind;
  link.size = target.size;
  link.content = target.content;
}

class Collector {
 public:
  explicit Collector(Contents contents) : contents_(contents) {}

  LayerVisitor visitor() {
    LayerVisitor visitor{.on_entry = [this](const LayerEntry& entry) { return take(entry); }};
    if (contents_ == Contents::hashed) {
      visitor.on_content = [this](std::string_view piece) {
        hasher_->add(piece);
        return base::Status();
      };
      visitor.on_end = [this] {
        changes_.nodes[path_].content = hasher_->digest();
        return base::Status();
      };
    }
    return visitor;
  }

  [[nodiscard]] LayerChanges changes() { return std::move(changes_); }

 private:
  base::Status take(const LayerEntry& entry) {
    if (entry.kind == LayerEntry::Kind::whiteout) {
      changes_.whiteouts.insert(entry.path);
    } else if (entry.kind == LayerEntry::Kind::opaque) {
      changes_.opaques.insert(entry.path);
    } else if (!entry.path.empty()) {
      put(entry);
    }
    if (entry.kind == LayerEntry::Kind::file && contents_ == Contents::hashed) {
      hasher_.emplace();
      path_ = entry.path;
    }
    return {};
  }

  void put(const LayerEntry& entry) {
    auto node = node_of(entry);
    if (node.shares_content()) {
      if (const auto target = changes_.nodes.find(entry.link_target); target != changes_.nodes.end()) {
        share(node, target->second);
      }
    }
    changes_.nodes[entry.path] = std::move(node);
  }

  Contents contents_;
  LayerChanges changes_;
  std::optional<Hasher> hasher_;
  std::string path_;  // of the file that is hashed
};

}  // namespace

std::string_view to_string(FileNode::Kind kind) {
  switch (kind) {
    case FileNode::Kind::file:
      return "file";
    case FileNode::Kind::directory:
      return "directory";
    case FileNode::Kind::symlink:
      return "symlink";
    case FileNode::Kind::device:
      return "device";
    case FileNode::Kind::fifo:
      return "fifo";
  }
  return {};
}

std::uint64_t LayerChanges::total_size() const {
  std::uint64_t total = 0;
  for (const auto& [path, node] : nodes) {
    total += node.shares_content() ? 0 : node.size;
  }
  return total;
}

base::Result<LayerChanges> read_layer_changes(const BlobSource& source, Contents contents, LayerLimits limits) {
  Collector collector(contents);
  const auto read = read_layer(source, collector.visitor(), limits);
  return read ? base::Result<LayerChanges>(collector.changes()) : read.error();
}

const FileNode* FileTree::find(const std::string& path) const {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : &found->second;
}

// Paths below a directory stand together: '0' is the byte after '/'.
void FileTree::hide_below(const std::string& directory) {
  const auto from = directory.empty() ? nodes_.begin() : nodes_.lower_bound(directory + '/');
  const auto to = directory.empty() ? nodes_.end() : nodes_.lower_bound(directory + '0');
  nodes_.erase(from, to);
}

void FileTree::make_parents(const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    auto& parent = nodes_[path.substr(0, slash)];
    if (parent.kind != FileNode::Kind::directory) {
      parent = {.kind = FileNode::Kind::directory, .mode = usual_directory_mode, .layer = layers_};
    }
  }
}

void FileTree::add(LayerChanges layer) {
  // Hard links to files below are settled before anything is hidden.
  for (auto& [path, node] : layer.nodes) {
    if (node.shares_content() && !layer.nodes.contains(node.link_target)) {
      if (const auto* target = find(node.link_target)) {
        share(node, *target);
      }
    }
  }
  for (const auto& directory : layer.opaques) {
    hide_below(directory);
  }
  for (const auto& path : layer.whiteouts) {
    nodes_.erase(path);
    hide_below(path);
  }
  for (auto& [path, node] : layer.nodes) {
    node.layer = layers_;
    make_parents(path);
    if (node.kind != FileNode::Kind::directory) {
      hide_below(path);
    }
    nodes_[path] = std::move(node);
  }
  ++layers_;
}

}  // namespace deployctl::oci
