#include "core/oci/layer_reader.hpp"

#include "core/base/text.hpp"
#include "core/oci/decompressor.hpp"
#include "core/oci/tar_parser.hpp"

#include <optional>
#include <utility>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view marker_prefix = ".wh..wh.";
constexpr std::string_view opaque_marker = ".wh..wh..opq";

// "a/b/c", whatever slashes and dots stand between.
Result<std::string> path_from_root(const std::string& written, std::size_t longest) {
  if (written.size() > longest) {
    return Error::refused("a path of {} bytes: '{}…'", written.size(), base::printable(written.substr(0, 60)));
  }
  std::string path;
  for (const auto part : base::split(written, '/')) {
    if (part == "..") {
      return Error::refused("the path '{}' leads out of the image", base::printable(written));
    }
    if (!part.empty() && part != ".") {
      path += (path.empty() ? "" : "/");
      path += part;
    }
  }
  return path;
}

std::pair<std::string_view, std::string_view> directory_and_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::pair(std::string_view(), path)
                                         : std::pair(path.substr(0, slash), path.substr(slash + 1));
}

// What a storage driver of old left in its layers: it means nothing to others.
bool is_left_over(std::string_view path) {
  return (path.starts_with(marker_prefix) || path.find("/.wh..wh.") != std::string_view::npos) &&
         directory_and_name(path).second != opaque_marker;
}

LayerEntry::Kind kind_of(TarParser::Header::Kind kind) {
  switch (kind) {
    case TarParser::Header::Kind::file:
      return LayerEntry::Kind::file;
    case TarParser::Header::Kind::directory:
      return LayerEntry::Kind::directory;
    case TarParser::Header::Kind::symlink:
      return LayerEntry::Kind::symlink;
    case TarParser::Header::Kind::hard_link:
      return LayerEntry::Kind::hard_link;
    case TarParser::Header::Kind::character_device:
    case TarParser::Header::Kind::block_device:
      return LayerEntry::Kind::device;
    case TarParser::Header::Kind::fifo:
      return LayerEntry::Kind::fifo;
  }
  return LayerEntry::Kind::file;
}

// The name a whiteout takes away.
Result<std::string> whited_out(std::string_view directory, std::string_view name) {
  name.remove_prefix(whiteout_prefix.size());
  if (name.empty() || name == "." || name == "..") {
    return Error::refused("a whiteout in '{}' that names no file", base::printable(directory));
  }
  return directory.empty() ? std::string(name) : fmt::format("{}/{}", directory, name);
}

// What the header means for the image; nothing for what is to be passed over.
Result<std::optional<LayerEntry>> entry_of(const TarParser::Header& header, const LayerLimits& limits) {
  auto path = path_from_root(header.path, limits.longest_path);
  if (!path) {
    return path.error();
  }
  if (is_left_over(*path)) {
    return std::optional<LayerEntry>();
  }
  const auto [directory, name] = directory_and_name(*path);
  if (name == opaque_marker) {
    return std::optional(LayerEntry{.kind = LayerEntry::Kind::opaque, .path = std::string(directory)});
  }
  if (name.starts_with(whiteout_prefix)) {
    const auto removed = whited_out(directory, name);
    return removed ? Result<std::optional<LayerEntry>>(LayerEntry{.kind = LayerEntry::Kind::whiteout, .path = *removed})
                   : removed.error();
  }
  LayerEntry entry{.kind = kind_of(header.kind),
                   .path = *path,
                   .size = header.size,
                   .mode = header.mode,
                   .uid = header.uid,
                   .gid = header.gid,
                   .mtime = header.mtime};
  if (entry.path.empty() && entry.kind != LayerEntry::Kind::directory) {
    return Error::refused("an entry without a name");
  }
  if (entry.kind == LayerEntry::Kind::symlink) {
    entry.link_target = header.link_target.substr(0, limits.longest_path);
  } else if (entry.kind == LayerEntry::Kind::hard_link) {
    auto target = path_from_root(header.link_target, limits.longest_path);
    if (!target) {
      return target.error();
    }
    entry.link_target = *target;
  }
  return std::optional(entry);
}

}  // namespace

struct LayerReader::State {
  State(LayerVisitor to, LayerLimits up_to)
      : visitor(std::move(to)),
        limits(up_to),
        tar({.on_entry = [this](const TarParser::Header& header) { return take_entry(header); },
             .on_content = [this](std::string_view piece) { return take_content(piece); },
             .on_end = [this] { return is_file && visitor.on_end ? visitor.on_end() : Status(); }}),
        decompressor([this](std::string_view piece) { return take_tar(piece); }) {}

  Status take_entry(const TarParser::Header& header) {
    if (++entries > limits.most_entries) {
      return Error::refused("the layer has more than {} entries", limits.most_entries);
    }
    const auto entry = entry_of(header, limits);
    if (!entry) {
      return entry.error();
    }
    if (const auto fits = count_names(*entry); !fits) {
      return fits;
    }
    is_file = entry->has_value() && (*entry)->kind == LayerEntry::Kind::file;
    return entry->has_value() ? visitor.on_entry(**entry) : Status();
  }

  // Readers keep names, often all of them.
  Status count_names(const std::optional<LayerEntry>& entry) {
    name_bytes += entry ? entry->path.size() + entry->link_target.size() : 0;
    return name_bytes <= limits.most_name_bytes ? Status()
                                                : Error::refused("the names in the layer are longer than {} together",
                                                                 base::human_bytes(limits.most_name_bytes));
  }

  Status take_content(std::string_view piece) {
    return is_file && visitor.on_content ? visitor.on_content(piece) : Status();
  }

  Status take_tar(std::string_view piece) {
    bytes += piece.size();
    if (bytes > limits.most_bytes) {
      return Error::refused("the layer unpacks to more than {}", base::human_bytes(limits.most_bytes));
    }
    return tar.add(piece);
  }

  LayerVisitor visitor;
  LayerLimits limits;
  TarParser tar;
  Decompressor decompressor;
  bool is_file = false;  // the last entry, whose content is the visitor's
  std::uint64_t entries = 0;
  std::uint64_t name_bytes = 0;
  std::uint64_t bytes = 0;
};

LayerReader::LayerReader(LayerVisitor visitor, LayerLimits limits)
    : state_(std::make_unique<State>(std::move(visitor), limits)) {}
LayerReader::~LayerReader() = default;
LayerReader::LayerReader(LayerReader&&) noexcept = default;
LayerReader& LayerReader::operator=(LayerReader&&) noexcept = default;

Status LayerReader::add(std::string_view piece) {
  return state_->decompressor.add(piece);
}

Status LayerReader::finish() {
  const auto ended = state_->decompressor.finish();
  return ended ? state_->tar.finish() : ended;
}

Status read_layer(const BlobSource& source, LayerVisitor visitor, LayerLimits limits) {
  LayerReader reader(std::move(visitor), limits);
  const auto read = source([&](std::string_view piece) { return reader.add(piece); });
  return read ? reader.finish() : read;
}

}  // namespace deployctl::oci
