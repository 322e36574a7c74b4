// Layers are laid over one another while they are read, so a file that an upper layer replaces has been hashed for
// nothing: that is less than reading the layers twice. Of the package manager's own files the text is kept until the
// end, when it is known which of them the image really has.
#include "core/sbom/contents.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::sbom {
namespace {

constexpr std::size_t longest_text = 32u << 20u;
constexpr std::size_t longest_texts = 96u << 20u;

constexpr std::string_view status_path = "var/lib/dpkg/status";
constexpr std::string_view status_directory = "var/lib/dpkg/status.d/";
constexpr std::string_view info_directory = "var/lib/dpkg/info/";
constexpr std::string_view release_paths[] = {"etc/os-release", "usr/lib/os-release"};

bool is_list(std::string_view path) {
  return (path.starts_with(info_directory) && path.ends_with(".list")) ||
         (path.starts_with(status_directory) && path.ends_with(".md5sums"));
}

bool is_status(std::string_view path) {
  return path == status_path || (path.starts_with(status_directory) && !path.ends_with(".md5sums"));
}

bool is_wanted_text(std::string_view path) {
  return is_list(path) || is_status(path) || std::ranges::find(release_paths, path) != std::end(release_paths);
}

struct Node {
  oci::LayerEntry::Kind kind = oci::LayerEntry::Kind::file;
  std::size_t layer = 0;
  std::uint64_t size = 0;
  Checksums checksums;
  bool is_elf = false;
  std::optional<GoBuildInfo> go;
  std::string link_target;  // of a symbolic link
  std::string text;         // of a file that is wanted whole
};

using Nodes = std::map<std::string, Node, std::less<>>;

// The file whose content is passing by.
struct OpenFile {
  Node* node = nullptr;
  FileHasher hasher;
  GoBuildInfoFinder go;
  bool keeps_text = false;
};

std::string file_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// "/bin/bash" is usr/bin/bash where bin is a link to usr/bin: dpkg's lists have the name the package has.
std::string through_link(const Nodes& nodes, const std::string& path) {
  const auto [first, rest] = base::split_once(path, '/');
  const auto link = nodes.find(first);
  if (rest.empty() || link == nodes.end() || link->second.kind != oci::LayerEntry::Kind::symlink) {
    return path;
  }
  const std::string_view target = link->second.link_target;
  return std::string(target.substr(target.starts_with('/') ? 1 : 0)) + "/" + std::string(rest);
}

}  // namespace

struct ContentsReader::State {
  Nodes nodes;
  std::size_t layer = 0;  // the one being read, from 1
  std::optional<OpenFile> open;
  std::size_t text_bytes = 0;
  std::vector<std::string> remarks;

  // What lower layers have below the directory.
  void hide_below(const std::string& directory) {
    const auto prefix = directory.empty() ? std::string() : directory + "/";
    for (auto at = nodes.lower_bound(prefix); at != nodes.end() && at->first.starts_with(prefix);) {
      at = at->second.layer < layer ? nodes.erase(at) : std::next(at);
    }
  }

  void hide(const std::string& path) {
    hide_below(path);
    if (const auto found = nodes.find(path); found != nodes.end() && found->second.layer < layer) {
      nodes.erase(found);
    }
  }

  base::Status enter(const oci::LayerEntry& entry) {
    using Kind = oci::LayerEntry::Kind;
    switch (entry.kind) {
      case Kind::whiteout:
        hide(entry.path);
        return {};
      case Kind::opaque:
        hide_below(entry.path);
        return {};
      case Kind::directory:
        nodes[entry.path] = {.kind = entry.kind, .layer = layer};
        return {};
      case Kind::hard_link:
        add_hard_link(entry);
        return {};
      default:
        hide_below(entry.path);
        add_node(entry);
        return {};
    }
  }

  void add_node(const oci::LayerEntry& entry) {
    auto& node = nodes[entry.path];
    text_bytes -= node.text.size();
    node = {.kind = entry.kind, .layer = layer, .size = entry.size, .link_target = entry.link_target};
    if (entry.kind == oci::LayerEntry::Kind::file) {
      open.emplace(OpenFile{.node = &node, .hasher = {}, .go = {}, .keeps_text = is_wanted_text(entry.path)});
      if (open->keeps_text && (entry.size > longest_text || text_bytes + entry.size > longest_texts)) {
        open->keeps_text = false;
        remarks.push_back(entry.path + " is too long to be read");
      }
    }
  }

  void add_hard_link(const oci::LayerEntry& entry) {
    const auto target = nodes.find(entry.link_target);
    if (target == nodes.end() || entry.link_target == entry.path) {
      return;
    }
    auto copy = target->second;
    copy.layer = layer;
    hide_below(entry.path);
    text_bytes += copy.text.size();
    nodes[entry.path] = std::move(copy);
  }

  base::Status add_content(std::string_view piece) {
    if (open) {
      open->hasher.add(piece);
      open->go.add(piece);
      if (open->keeps_text) {
        open->node->text += piece;
        text_bytes += piece.size();
      }
    }
    return {};
  }

  base::Status close_file() {
    if (open) {
      open->node->checksums = open->hasher.checksums();
      open->node->is_elf = open->go.is_elf();
      open->node->go = open->go.found();
      open.reset();
    }
    return {};
  }

  [[nodiscard]] const Node* regular_file(std::string_view path) const {
    const auto found = nodes.find(path);
    return found != nodes.end() && found->second.kind == oci::LayerEntry::Kind::file ? &found->second : nullptr;
  }

  void add_files(ImageContents& contents) {
    for (const auto& [path, node] : nodes) {
      if (node.kind != oci::LayerEntry::Kind::file) {
        continue;
      }
      if (node.go) {
        contents.go_programs[contents.files.size()] = *node.go;
      }
      contents.files.push_back(
          {.path = path, .size = node.size, .checksums = node.checksums, .is_elf = node.is_elf, .package = {}});
    }
  }

  void add_system(ImageContents& contents) const {
    for (const auto path : release_paths) {
      if (const auto* file = regular_file(path)) {
        contents.system = parse_os_release(file->text);
        return;
      }
    }
  }

  void add_packages(ImageContents& contents) const {
    for (const auto& [path, node] : nodes) {
      if (is_status(path)) {
        std::ranges::move(parse_dpkg_status(node.text), std::back_inserter(contents.packages));
      }
    }
    const auto order = [](const DebianPackage& package) { return std::tie(package.name, package.architecture); };
    std::ranges::stable_sort(contents.packages, {}, order);
    const auto is_same = [&](const auto& left, const auto& right) { return order(left) == order(right); };
    contents.packages.erase(std::unique(contents.packages.begin(), contents.packages.end(), is_same),
                            contents.packages.end());
  }

  // A package by the name of its list: "libssl3:amd64" where several architectures are installed.
  static std::optional<std::size_t> package_named(const ImageContents& contents, const std::string& list) {
    const auto name = package_of_list(list);
    const auto first = std::ranges::lower_bound(contents.packages, name, {}, &DebianPackage::name);
    const auto last = std::ranges::upper_bound(contents.packages, name, {}, &DebianPackage::name);
    if (first == last) {
      return {};
    }
    const auto architecture = list.find(':') == std::string::npos
                                  ? std::string()
                                  : list.substr(name.size() + 1, list.rfind('.') - name.size() - 1);
    const auto exact = std::ranges::find(first, last, architecture, &DebianPackage::architecture);
    return static_cast<std::size_t>((exact == last ? first : exact) - contents.packages.begin());
  }

  void assign_files(ImageContents& contents) const {
    for (const auto& [path, node] : nodes) {
      const auto package = is_list(path) ? package_named(contents, file_name(path)) : std::nullopt;
      if (!package) {
        continue;
      }
      for (const auto& listed : path.ends_with(".list") ? parse_dpkg_list(node.text) : parse_md5sums(node.text)) {
        const auto& real = regular_file(listed) ? listed : through_link(nodes, listed);
        const auto file = std::ranges::lower_bound(contents.files, real, {}, &FileRecord::path);
        if (file != contents.files.end() && file->path == real && !file->package) {
          file->package = package;
        }
      }
    }
  }
};

ContentsReader::ContentsReader() : state_(std::make_unique<State>()) {}
ContentsReader::~ContentsReader() = default;
ContentsReader::ContentsReader(ContentsReader&&) noexcept = default;
ContentsReader& ContentsReader::operator=(ContentsReader&&) noexcept = default;

oci::LayerVisitor ContentsReader::next_layer() {
  auto& state = *state_;
  ++state.layer;
  return {.on_entry = [&state](const oci::LayerEntry& entry) { return state.enter(entry); },
          .on_content = [&state](std::string_view piece) { return state.add_content(piece); },
          .on_end = [&state] { return state.close_file(); }};
}

ImageContents ContentsReader::contents() {
  ImageContents contents;
  state_->add_files(contents);
  state_->add_system(contents);
  state_->add_packages(contents);
  state_->assign_files(contents);
  contents.remarks = std::move(state_->remarks);
  return contents;
}

base::Result<ImageContents> read_contents(const std::vector<oci::Descriptor>& layers, const FetchBlob& fetch) {
  ContentsReader reader;
  for (const auto& layer : layers) {
    const auto source = [&](const oci::PieceSink& sink) { return fetch(layer, sink); };
    if (const auto read = oci::read_layer(source, reader.next_layer()); !read) {
      return read.error().within("reading layer {}", layer.digest.brief());
    }
  }
  return reader.contents();
}

}  // namespace deployctl::sbom
