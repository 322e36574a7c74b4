// The layers at the bottom that both images have (the base image, mostly) are the large ones, and reading them means
// downloading them. They matter only where the layers above do not do the same to them in both images: a file that one
// of the images adds may be a new one or may replace one of theirs. When both sides touch exactly the same paths, as
// two builds of one Dockerfile do, what is below shows through in the same places, and is left unread.
#include "core/images/comparison.hpp"

#include "core/base/text.hpp"
#include "core/images/description.hpp"
#include "core/images/progress.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

namespace deployctl::images {
namespace {

using base::Error;
using base::Result;
using base::Status;

// One of the two images, with what identifies its layers.
struct Side {
  Source* source = nullptr;
  ImageDescription image;
  std::vector<std::string> keys;  // of the layers: equal keys, equal content
  json::Value settings;
};

// A layer is known by its content where the configuration says it, so that one compressed anew is the same.
std::vector<std::string> layer_keys(const ImageDescription& image) {
  std::vector<std::string> keys;
  const bool knows_content = image.config && image.config->diff_ids.size() == image.layers.size();
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    keys.push_back(knows_content ? image.config->diff_ids[i].text() : image.layers[i].blob.digest.text());
  }
  return keys;
}

// The configuration without what follows from the layers and without the time.
Result<json::Value> settings_of(Source& source, const ImageDescription& image) {
  const auto bytes = read_blob(source, image.config_blob, oci::longest_config);
  auto value = bytes ? json::parse(*bytes, "the image configuration") : Result<json::Value>(bytes.error());
  if (value && value->is_object()) {
    for (const auto* const key : {"rootfs", "history", "created", "container", "container_config"}) {
      value->erase(key);
    }
  }
  return value;
}

Result<Side> open_side(Source& source, const std::optional<oci::Platform>& platform) {
  const auto set = read_images(source, Attestations::skipped, Wanted::those_there);
  if (!set) {
    return set.error();
  }
  const auto chosen = choose_image(*set, platform);
  if (!chosen) {
    return chosen.error();
  }
  auto image = describe_image(source, **chosen);
  if (!image) {
    return image.error();
  }
  if (!image->config) {
    return Error::failed("{} is an artifact ({}): it has no files to compare", image->manifest.digest.brief(),
                         base::printable(image->artifact_type));
  }
  auto settings = settings_of(source, *image);
  if (!settings) {
    return settings.error();
  }
  auto keys = layer_keys(*image);
  return Side{.source = &source, .image = *std::move(image), .keys = std::move(keys), .settings = *std::move(settings)};
}

// How many layers from the bottom both have.
std::size_t shared_bottom(const Side& before, const Side& after) {
  const auto [left, right] = std::ranges::mismatch(before.keys, after.keys);
  return static_cast<std::size_t>(left - before.keys.begin());
}

std::vector<LayerChange> compare_layers(const Side& before, const Side& after) {
  std::vector<LayerChange> changes;
  const auto add = [&](LayerChange::Kind kind, const LayerDescription& layer) {
    changes.push_back({.kind = kind, .blob = layer.blob, .created_by = layer.created_by});
  };
  std::size_t next = 0;  // of the earlier image's layers that have not been shown
  const auto show_removed = [&](std::size_t until) {
    for (; next < until; ++next) {
      if (std::ranges::find(after.keys, before.keys[next]) == after.keys.end()) {
        add(LayerChange::Kind::removed, before.image.layers[next]);
      }
    }
  };
  for (std::size_t i = 0; i < after.keys.size(); ++i) {
    const auto match = std::ranges::find(before.keys, after.keys[i]);
    if (match != before.keys.end()) {
      show_removed(static_cast<std::size_t>(match - before.keys.begin()));
    } else {
      show_removed(std::min(i + 1, before.keys.size()));
    }
    add(match == before.keys.end() ? LayerChange::Kind::added : LayerChange::Kind::shared, after.image.layers[i]);
  }
  show_removed(before.keys.size());
  return changes;
}

// What layers do to those below them, so that two lists of layers that do the same are equal.
std::set<std::string> touched(const std::vector<oci::LayerChanges>& layers) {
  std::set<std::string> paths;
  for (const auto& layer : layers) {
    for (const auto& [path, node] : layer.nodes) {
      paths.insert((node.kind == oci::FileNode::Kind::directory ? "d" : "f") + path);
    }
    for (const auto& path : layer.whiteouts) {
      paths.insert("w" + path);
    }
    for (const auto& path : layer.opaques) {
      paths.insert("o" + path);
    }
  }
  return paths;
}

// Reads layers, each once, and tells how far it is.
class LayerLoader {
 public:
  LayerLoader(const OnProgress& on_progress, std::uint64_t total) : meter_(on_progress, total) {}

  Result<std::vector<oci::LayerChanges>> load(const Side& side, std::size_t from, std::size_t to) {
    std::vector<oci::LayerChanges> layers;
    for (auto i = from; i < to; ++i) {
      const auto loaded = load_one(side, i);
      if (!loaded) {
        return loaded.error();
      }
      layers.push_back(known_[side.keys[i]]);
    }
    return layers;
  }

  void expect(std::uint64_t bytes) { meter_.expect(bytes); }

 private:
  Status load_one(const Side& side, std::size_t place) {
    const auto& blob = side.image.layers[place].blob;
    const auto name = fmt::format("layer {}", blob.digest.brief());
    if (known_.contains(side.keys[place])) {
      meter_.add(name, blob.size);
      return {};
    }
    const auto source = [&](const oci::PieceSink& sink) {
      return side.source->blob(blob, [&](std::string_view piece) {
        meter_.add(name, piece.size());
        return sink(piece);
      });
    };
    auto layer = oci::read_layer_changes(source, oci::Contents::hashed);
    if (!layer) {
      return layer.error().within("reading the layer {}", blob.digest.brief());
    }
    known_.emplace(side.keys[place], *std::move(layer));
    return {};
  }

  ProgressMeter meter_;
  std::map<std::string, oci::LayerChanges> known_;
};

std::uint64_t size_of_layers(const Side& side, std::size_t from, std::size_t to) {
  std::uint64_t size = 0;
  for (auto i = from; i < to; ++i) {
    size += side.image.layers[i].blob.size;
  }
  return size;
}

oci::FileTree laid_over(oci::FileTree tree, std::vector<oci::LayerChanges> layers) {
  for (auto& layer : layers) {
    tree.add(std::move(layer));
  }
  return tree;
}

Result<std::vector<FileChange>> compare_trees(const Side& before, const Side& after, const OnProgress& on_progress) {
  const auto bottom = shared_bottom(before, after);
  if (bottom == before.keys.size() && bottom == after.keys.size()) {
    return std::vector<FileChange>();
  }
  LayerLoader loader(on_progress, size_of_layers(before, bottom, before.keys.size()) +
                                      size_of_layers(after, bottom, after.keys.size()));
  auto earlier = loader.load(before, bottom, before.keys.size());
  auto later = earlier ? loader.load(after, bottom, after.keys.size()) : earlier;
  if (!later) {
    return later.error();
  }
  oci::FileTree shared;
  if (touched(*earlier) != touched(*later)) {
    loader.expect(size_of_layers(after, 0, bottom));
    auto below = loader.load(after, 0, bottom);
    if (!below) {
      return below.error();
    }
    shared = laid_over({}, *std::move(below));
  }
  return compare_files(laid_over(shared, *std::move(earlier)), laid_over(shared, *std::move(later)));
}

bool is_directory(const oci::FileNode& node) {
  return node.kind == oci::FileNode::Kind::directory;
}

bool is_same_file(const oci::FileNode& before, const oci::FileNode& after) {
  const bool points_alike = before.kind != oci::FileNode::Kind::symlink || before.link_target == after.link_target;
  return before.kind == after.kind && before.size == after.size && before.content == after.content && points_alike &&
         before.mode == after.mode && before.uid == after.uid && before.gid == after.gid;
}

using Nodes = std::map<std::string, oci::FileNode>;

bool is_empty_directory(const Nodes& nodes, const std::string& path) {
  const auto child = nodes.lower_bound(path + "/");
  return child == nodes.end() || !child->first.starts_with(path + "/");
}

// What is only on one side: every file, and a directory when there is nothing in it to tell of it.
void add_one_sided(const Nodes& nodes, const Nodes& others, FileChange::Kind kind, std::vector<FileChange>& changes) {
  for (const auto& [path, node] : nodes) {
    if (others.contains(path) || (is_directory(node) && !is_empty_directory(nodes, path))) {
      continue;
    }
    FileChange change{.kind = kind, .path = path, .before = {}, .after = {}};
    (kind == FileChange::Kind::added ? change.after : change.before) = node;
    changes.push_back(std::move(change));
  }
}

std::int64_t own_size(const std::optional<oci::FileNode>& node) {
  return node && !node->shares_content() ? static_cast<std::int64_t>(node->size) : 0;
}

}  // namespace

std::int64_t FileChange::size_delta() const {
  return own_size(after) - own_size(before);
}

bool Comparison::is_same() const {
  return settings.empty() && files.empty() &&
         std::ranges::all_of(layers, [](const LayerChange& layer) { return layer.kind == LayerChange::Kind::shared; });
}

std::vector<FileChange> compare_files(const oci::FileTree& before, const oci::FileTree& after) {
  std::vector<FileChange> changes;
  add_one_sided(before.nodes(), after.nodes(), FileChange::Kind::removed, changes);
  add_one_sided(after.nodes(), before.nodes(), FileChange::Kind::added, changes);
  for (const auto& [path, node] : before.nodes()) {
    const auto* other = after.find(path);
    if (other != nullptr && !is_same_file(node, *other)) {
      changes.push_back({.kind = FileChange::Kind::changed, .path = path, .before = node, .after = *other});
    }
  }
  std::ranges::sort(changes, [](const FileChange& left, const FileChange& right) {
    const auto by_size = [](const FileChange& change) { return -std::abs(change.size_delta()); };
    return std::pair(by_size(left), std::string_view(left.path)) <
           std::pair(by_size(right), std::string_view(right.path));
  });
  return changes;
}

Result<Comparison> compare(Source& before, Source& after, const std::optional<oci::Platform>& platform,
                           const OnProgress& on_progress) {
  const auto earlier = open_side(before, platform);
  const auto later = earlier ? open_side(after, platform) : earlier;
  if (!later) {
    return later.error();
  }
  auto files = compare_trees(*earlier, *later, on_progress);
  if (!files) {
    return files.error();
  }
  return Comparison{.before = {earlier->image.manifest, earlier->image.total_size()},
                    .after = {later->image.manifest, later->image.total_size()},
                    .settings = json::diff(earlier->settings, later->settings),
                    .layers = compare_layers(*earlier, *later),
                    .files = *std::move(files)};
}

std::string_view to_string(LayerChange::Kind kind) {
  switch (kind) {
    case LayerChange::Kind::shared:
      return "shared";
    case LayerChange::Kind::removed:
      return "removed";
    case LayerChange::Kind::added:
      return "added";
  }
  return {};
}

std::string_view to_string(FileChange::Kind kind) {
  switch (kind) {
    case FileChange::Kind::removed:
      return "removed";
    case FileChange::Kind::added:
      return "added";
    case FileChange::Kind::changed:
      return "changed";
  }
  return {};
}

}  // namespace deployctl::images
