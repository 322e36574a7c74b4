#include "core/native/builder.hpp"

#include "core/base/text.hpp"
#include "core/io/clock.hpp"
#include "core/native/base_image.hpp"
#include "core/native/contents.hpp"
#include "core/native/dockerignore.hpp"
#include "core/native/elf.hpp"
#include "core/native/folder_lock.hpp"
#include "core/oci/image.hpp"
#include "core/oci/layer_writer.hpp"

#include <algorithm>
#include <set>

namespace deployctl::native {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t most_large_files = 10;

// A layer of ours before it is written.
struct Draft {
  std::string what;
  oci::LayerTree tree;
  HeadCheck check = {};
};

std::uint64_t unpacked_size(const oci::LayerTree& tree) {
  std::uint64_t total = 0;
  for (const auto& [path, item] : tree.items()) {
    total += item.kind == oci::LayerItem::Kind::file ? item.size() : 0;
  }
  return total;
}

std::vector<LargeFile> largest_files(const std::vector<Draft>& drafts) {
  std::vector<LargeFile> files;
  for (const auto& draft : drafts) {
    for (const auto& [path, item] : draft.tree.items()) {
      if (item.kind == oci::LayerItem::Kind::file) {
        files.push_back({.path = "/" + path, .size = item.size()});
      }
    }
  }
  const auto count = std::min(files.size(), most_large_files);
  const auto is_larger = [](const LargeFile& left, const LargeFile& right) {
    return left.size != right.size ? left.size > right.size : left.path < right.path;
  };
  std::partial_sort(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(count), files.end(), is_larger);
  files.resize(count);
  return files;
}

// Entries that a later one of the same name replaces, in the order of their first appearance (Dockerfile ENV).
template <typename Map>
void merge_into(Map& below, const Map& above) {
  for (const auto& [name, value] : above) {
    below[name] = value;
  }
}

class PlatformBuild {
 public:
  PlatformBuild(const BuildRequest& request, const oci::Platform& platform, const IgnoreRules& ignored,
                const Ports& ports)
      : request_(request), platform_(platform), ignored_(ignored), ports_(ports) {}

  Result<BuiltPlatform> run() {
    auto base = pull_base(request_.runtime, platform_, ports_.registry, ports_.store, ports_.stop);
    if (!base) {
      return base.error();
    }
    base_ = std::move(*base);
    using Part = Status (PlatformBuild::*)();
    for (const Part part :
         {&PlatformBuild::draft_system, &PlatformBuild::draft_artifacts, &PlatformBuild::draft_program,
          &PlatformBuild::check_program, &PlatformBuild::write_layers}) {
      if (const auto done = (this->*part)(); !done) {
        return done.error();
      }
    }
    return finish();
  }

 private:
  Status draft_system() {
    const auto zone = zone_file(request_.zones, request_.time_zone);
    if (zone.empty() && !request_.time_zone.empty() && request_.time_zone != "UTC" && base_.is_scratch()) {
      ports_.on_line(fmt::format("TZ is {}, and there is no such file in {}: the program will take UTC for it",
                                 base::printable(request_.time_zone), request_.zones));
    }
    auto tree = system_files({.base = base_,
                              .architecture = platform_.architecture,
                              .certificates = request_.certificates,
                              .zone_file = zone,
                              .time_zone = request_.time_zone,
                              .volumes = request_.volumes,
                              .user = request_.user});
    if (!tree) {
      return tree.error();
    }
    drafts_.push_back({.what = "certificates and folders", .tree = std::move(*tree)});
    return {};
  }

  Status draft_artifacts() {
    for (const auto& artifact : request_.artifacts) {
      auto tree = artifact_files(artifact, request_, platform_, ignored_, ports_.store);
      if (!tree) {
        return tree.error();
      }
      for (const auto& remark : links_leading_out(*tree, artifact)) {
        ports_.on_line(remark);
      }
      drafts_.push_back({.what = "artifact " + artifact.path,
                         .tree = std::move(*tree),
                         .check = key_check(artifact, platform_, ignored_)});
    }
    return {};
  }

  Status draft_program() {
    if (request_.toolchain == Toolchain::none) {
      return {};
    }
    const auto directory = fmt::format("{}/{}-{}", request_.directory, platform_.os, platform_.architecture);
    auto lock = FolderLock::take(directory, ports_.on_line, ports_.stop);
    if (!lock) {
      return lock.error();
    }
    lock_ = std::move(*lock);
    const auto program = compile({.toolchain = request_.toolchain,
                                  .source = request_.source,
                                  .package = request_.package,
                                  .platform = platform_,
                                  .version = request_.version,
                                  .commit = request_.commit,
                                  .variables = request_.variables,
                                  .secrets = request_.secrets,
                                  .directory = directory},
                                 ports_.processes, ports_.on_line, ports_.stop);
    if (!program) {
      return program.error();
    }
    Draft draft{.what = "program", .tree = {}};
    const auto added = draft.tree.add_file_from(in_image(request_.entrypoint.front()), *program);
    drafts_.push_back(std::move(draft));
    return added;
  }

  // That what the image runs is there, is for its platform, and finds the shared libraries it needs.
  Status check_program() {
    const auto path = in_image(request_.entrypoint.front());
    const auto* item = find(path);
    if (item == nullptr) {
      return base_.is_scratch() && !leads_over_link(path) ? Status(nothing_at(path)) : Status();
    }
    if (item->kind == oci::LayerItem::Kind::directory) {
      return Error::refused("/{} is a folder, and the image runs it", path)
          .with_hint("name the program in it as the first word of `command`");
    }
    if (item->source.empty()) {
      return {};
    }
    const auto facts = read_elf(item->source);
    if (!facts) {
      return facts.error();
    }
    return *facts ? check_elf(path, **facts) : check_script(path, script_interpreter(item->source));
  }

  // What a base holds besides its libraries nobody has looked at.
  [[nodiscard]] Status check_script(const std::string& path, const std::string& interpreter) const {
    const auto place = in_image(interpreter);
    const bool is_missing =
        base_.is_scratch() && !interpreter.empty() && find(place) == nullptr && !leads_over_link(place);
    return is_missing ? Status(Error::refused("/{} is a script for {}, which an image from scratch does not have", path,
                                              base::printable(interpreter))
                                   .with_hint("name an image that has it as build.runtime"))
                      : Status();
  }

  static Error nothing_at(const std::string& path) {
    return Error::refused("nothing stands at /{} in the image, which is what it runs", path)
        .with_hint("name the program as build.artifact, or its place as the first word of `command`");
  }

  [[nodiscard]] bool leads_over_link(const std::string& path) const {
    for (auto end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
      const auto* parent = find(path.substr(0, end));
      if (parent != nullptr && parent->kind == oci::LayerItem::Kind::symlink) {
        return true;
      }
    }
    return false;
  }

  Status check_elf(const std::string& path, const ElfFacts& facts) {
    if (facts.architecture != platform_.architecture) {
      return Error::refused("/{} is a program for {}, and the image is for {}", path, facts.architecture,
                            platform_.architecture);
    }
    std::vector<std::string> missing;
    auto needed = facts.needed;
    if (!facts.interpreter.empty()) {
      needed.insert(needed.begin(), facts.interpreter.substr(facts.interpreter.rfind('/') + 1));
    }
    const auto names = own_file_names();
    for (const auto& library : needed) {
      if (!base_.libraries.contains(library) && !names.contains(library)) {
        missing.push_back(base::printable(library));
      }
    }
    return missing.empty()
               ? Status()
               : Status(Error::refused("/{} needs {}, which {} does not have", path, base::join(missing, ", "),
                                       base_.is_scratch() ? "an image from scratch" : base_.name)
                            .with_hint("link it statically, or name an image that has them as "
                                       "build.runtime"));
  }

  [[nodiscard]] std::set<std::string> own_file_names() const {
    std::set<std::string> names;
    for (const auto& draft : drafts_) {
      for (const auto& [path, item] : draft.tree.items()) {
        names.insert(path.substr(path.rfind('/') + 1));
      }
    }
    return names;
  }

  [[nodiscard]] const oci::LayerItem* find(const std::string& path) const {
    for (auto draft = drafts_.rbegin(); draft != drafts_.rend(); ++draft) {
      if (const auto found = draft->tree.items().find(path); found != draft->tree.items().end()) {
        return &found->second;
      }
    }
    return nullptr;
  }

  Status write_layers() {
    std::erase_if(drafts_, [](const Draft& draft) { return draft.tree.empty(); });
    for (const auto& draft : drafts_) {
      auto layer = oci::write_layer(draft.tree,
                                    {.compression = request_.compression,
                                     .time = request_.layer_time,
                                     .on_read = {},
                                     .check = draft.check,
                                     .check_version = draft.check ? ignored_.exceptions() : std::string(),
                                     .stop = ports_.stop},
                                    ports_.store);
      if (!layer) {
        return layer.error().within("writing the layer '{}'", draft.what);
      }
      diff_ids_.push_back(layer->diff_id);
      layers_.push_back({.what = draft.what,
                         .blob = layer->blob,
                         .unpacked = unpacked_size(draft.tree),
                         .is_cached = layer->is_cached});
    }
    return {};
  }

  Result<BuiltPlatform> finish() {
    const auto config = ports_.store.add_blob(oci::config_bytes(config_of()), oci::media_type::image_config);
    if (!config) {
      return config.error();
    }
    oci::ImageManifest manifest{
        .media_type = std::string(oci::media_type::image_manifest), .config = *config, .layers = base_.layers};
    for (const auto& layer : layers_) {
      manifest.layers.push_back(layer.blob);
    }
    auto bytes = oci::manifest_bytes(manifest);
    BuiltPlatform built{.image = {.manifest = bytes,
                                  .media_type = manifest.media_type,
                                  .digest = oci::Digest::of(bytes),
                                  .config = *config,
                                  .layers = manifest.layers,
                                  .platform = platform_,
                                  .blobs = ports_.store.blobs()},
                        .layers = {},
                        .largest = largest_files(drafts_)};
    if (!base_.is_scratch()) {
      built.layers.push_back(
          {.what = "base " + base_.name, .blob = {}, .unpacked = base_.unpacked_size, .is_cached = true});
      for (const auto& layer : base_.layers) {
        built.layers.front().blob.size += layer.size;
      }
    }
    built.layers.insert(built.layers.end(), layers_.begin(), layers_.end());
    const auto remembered = ports_.store.remember_image(built.image);
    return remembered ? Result<BuiltPlatform>(std::move(built)) : remembered.error();
  }

  // The base's settings with ours over them, as a Dockerfile's instructions would leave them.
  [[nodiscard]] oci::ImageConfig config_of() const {
    auto config = base_.config;
    const auto time = io::to_rfc3339(io::WallTime(std::chrono::seconds(request_.time)));
    config.platform = platform_;
    config.created = time;
    config.diff_ids.insert(config.diff_ids.end(), diff_ids_.begin(), diff_ids_.end());
    auto& settings = config.settings;
    settings.entrypoint = request_.entrypoint;
    settings.command.clear();
    settings.user = fmt::format("{0}:{0}", request_.user);
    for (const auto port : request_.ports) {
      settings.exposed_ports.insert(fmt::format("{}/tcp", port));
    }
    merge_into(settings.labels, request_.labels);
    if (!base_.is_scratch()) {
      settings.labels["org.opencontainers.image.base.name"] = base_.name;
      settings.labels["org.opencontainers.image.base.digest"] = base_.digest.text();
    }
    for (const auto& layer : layers_) {
      config.history.push_back({.created = time, .created_by = "deployctl: " + layer.what, .comment = {}});
    }
    config.history.push_back(
        {.created = time, .created_by = "deployctl: settings", .comment = {}, .is_empty_layer = true});
    return config;
  }

  const BuildRequest& request_;
  const oci::Platform& platform_;
  const IgnoreRules& ignored_;
  const Ports& ports_;
  BaseImage base_;
  std::vector<Draft> drafts_;
  std::vector<oci::Digest> diff_ids_;
  std::vector<BuiltLayer> layers_;
  std::optional<FolderLock> lock_;  // from before the program is compiled until its layer is written
};

oci::StoredIndex index_of(const std::vector<BuiltPlatform>& platforms) {
  oci::ImageIndex listed{.media_type = std::string(oci::media_type::image_index), .manifests = {}};
  oci::StoredIndex index;
  for (const auto& platform : platforms) {
    const auto& image = platform.image;
    listed.manifests.push_back({.media_type = image.media_type,
                                .digest = image.digest,
                                .size = image.manifest.size(),
                                .platform = image.platform,
                                .annotations = {}});
    index.images.push_back(image);
  }
  index.bytes = oci::index_bytes(listed);
  index.media_type = listed.media_type;
  index.digest = oci::Digest::of(index.bytes);
  return index;
}

}  // namespace

std::uint64_t BuiltPlatform::unpacked_size() const {
  std::uint64_t total = 0;
  for (const auto& layer : layers) {
    total += layer.unpacked;
  }
  return total;
}

Result<BuiltImage> build(const BuildRequest& request, const Ports& ports) {
  const auto ignore_text = ports.files.read(request.source + "/.dockerignore", 1u << 20u);
  const auto ignored = ignore_text ? IgnoreRules::parse(*ignore_text) : IgnoreRules();
  BuiltImage built;
  for (const auto& platform : request.platforms) {
    auto one = PlatformBuild(request, platform, ignored, ports).run();
    if (!one) {
      return request.platforms.size() == 1
                 ? one.error()
                 : one.error().within("building for {}/{}", platform.os, platform.architecture);
    }
    built.platforms.push_back(std::move(*one));
  }
  if (built.platforms.size() == 1) {
    built.image = built.platforms.front().image;
  } else {
    built.image = index_of(built.platforms);
  }
  return built;
}

std::vector<std::string> space_report(const BuiltPlatform& built) {
  std::vector<std::string> lines;
  for (const auto& layer : built.layers) {
    lines.push_back(fmt::format("{:>9}  {} ({} compressed)", base::human_bytes(layer.unpacked), layer.what,
                                base::human_bytes(layer.blob.size)));
  }
  for (const auto& file : built.largest) {
    lines.push_back(fmt::format("{:>9}  {}", base::human_bytes(file.size), base::printable(file.path)));
  }
  return lines;
}

}  // namespace deployctl::native
