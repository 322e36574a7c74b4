// One thread reads the files, makes the tar and hashes it for the diffID; the compressor's threads do the rest, the
// hash of the blob among it (BlobWriter).
//
// What is remembered of a tree is a digest over all its paths and stamps, with the diffID it gave. A file that was
// changed in the very moment it was looked at may change again without its times showing it (git's "racy" entries), so
// a tree with such a file is not remembered.
#include "core/oci/layer_writer.hpp"

#include "core/base/text.hpp"
#include "core/oci/open_path.hpp"
#include "core/oci/tar_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <utility>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t piece_bytes = 256u << 10u;
constexpr std::size_t checked_bytes = 64u << 10u;
constexpr std::int64_t clock_tick = 100'000'000;  // ns: no file system's times are coarser in practice
constexpr std::string_view record_version = "layer 3";

Error changed(const std::string& path) {
  return Error::refused("{} changed while it was read", base::printable(path))
      .with_hint("build again when nothing writes to it");
}

// Whether it is still what was found under its name.
bool is_as(const OpenPath& file, const FileStamp& stamp) {
  const auto info = file.info();
  return info && stamp_of(*info) == stamp;
}

// Names of one file: the first becomes the file, the others hard links to it.
using SeenFiles = std::map<std::pair<std::uint64_t, std::uint64_t>, std::string>;

class TreeTar {
 public:
  TreeTar(const LayerOptions& options, const PieceSink& sink) : options_(options), tar_(sink) {}

  Status write(const LayerTree& tree) {
    for (const auto& [path, item] : tree.items()) {
      if (options_.stop.stop_requested()) {
        return Error::interrupted();
      }
      if (const auto written = write_item(path, item); !written) {
        return written;
      }
    }
    return tar_.finish();
  }

 private:
  Status write_item(const std::string& path, const LayerItem& item) {
    auto header = header_of(path, item);
    if (!item.source.empty()) {
      const auto [first, is_first] = seen_.try_emplace({item.stamp.device, item.stamp.inode}, path);
      if (!is_first) {
        header.kind = TarHeader::Kind::hard_link;
        header.link_target = first->second;
        header.xattrs.clear();
        return tar_.begin(header);
      }
    }
    if (const auto begun = tar_.begin(header); !begun) {
      return begun;
    }
    if (item.kind != LayerItem::Kind::file) {
      return {};
    }
    return item.source.empty() ? tar_.write(item.content) : write_file(path, item);
  }

  [[nodiscard]] TarHeader header_of(const std::string& path, const LayerItem& item) const {
    TarHeader header{.path = path,
                     .link_target = {},
                     .size = item.size(),
                     .mode = item.mode,
                     .uid = item.owner,
                     .gid = item.owner,
                     .mtime = options_.time,
                     .xattrs = {}};
    if (item.kind == LayerItem::Kind::directory) {
      header.kind = TarHeader::Kind::directory;
    } else if (item.kind == LayerItem::Kind::symlink) {
      header.kind = TarHeader::Kind::symlink;
      header.link_target = item.content;
    }
    if (!item.capability.empty()) {
      header.xattrs["security.capability"] = item.capability;
    }
    return header;
  }

  Status write_file(const std::string& path, const LayerItem& item) {
    const OpenPath file(item.source, O_NOFOLLOW | O_NONBLOCK);
    if (!file.is_open()) {
      const auto problem = errno;
      return problem == ENOENT || problem == ELOOP
                 ? changed(item.source)
                 : Error::failed("cannot read {}: {}", base::printable(item.source), std::strerror(problem));
    }
    if (!is_as(file, item.stamp)) {
      return changed(item.source);
    }
    std::uint64_t left = item.stamp.size;
    while (left > 0) {
      if (options_.stop.stop_requested()) {
        return Error::interrupted();
      }
      const auto count = file.read(buffer_);
      if (count < 0) {
        return Error::failed("cannot read {}: {}", base::printable(item.source), std::strerror(errno));
      }
      if (count == 0 || static_cast<std::uint64_t>(count) > left) {
        return changed(item.source);
      }
      const std::string_view piece(buffer_.data(), static_cast<std::size_t>(count));
      if (const auto passed = left == item.stamp.size ? check(path, piece) : Status(); !passed) {
        return passed;
      }
      left -= piece.size();
      if (const auto written = tar_.write(piece); !written) {
        return written;
      }
      tell_read(static_cast<std::uint64_t>(count));
    }
    return is_as(file, item.stamp) ? Status() : changed(item.source);
  }

  [[nodiscard]] Status check(const std::string& path, std::string_view first_piece) const {
    return options_.check ? options_.check(path, first_piece.substr(0, checked_bytes)) : Status();
  }

  void tell_read(std::uint64_t count) {
    read_ += count;
    if (options_.on_read) {
      options_.on_read(read_);
    }
  }

  const LayerOptions& options_;
  TarWriter tar_;
  SeenFiles seen_;
  std::string buffer_ = std::string(piece_bytes, '\0');
  std::uint64_t read_ = 0;
};

// Numbers and texts one after the other so that no two different rows are the same bytes.
class Record {
 public:
  template <typename Number>
  void add_number(Number number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void add_text(std::string_view text) {
    add_number(text.size());
    bytes_ += text;
  }
  // Gives the bytes out and begins anew.
  void pass_to(Hasher& hasher) {
    hasher.add(bytes_);
    bytes_.clear();
  }

 private:
  std::string bytes_;
};

// Everything that decides the layer's bytes, without reading a file: the stamp stands for the content.
Digest fingerprint(const LayerTree& tree, const LayerOptions& options) {
  Hasher hasher;
  hasher.add(fmt::format("{} {} {} {}\n", record_version, to_string(options.compression), options.time,
                         options.check_version));
  Record record;
  for (const auto& [path, item] : tree.items()) {
    record.add_text(path);
    record.add_number(item.mode);
    record.add_number(item.owner);
    record.add_number(static_cast<int>(item.kind));
    record.add_text(item.capability);
    record.add_text(item.content);
    record.add_text(item.source);
    record.add_number(item.stamp.device);
    record.add_number(item.stamp.inode);
    record.add_number(item.stamp.size);
    record.add_number(item.stamp.modified);
    record.add_number(item.stamp.changed);
    record.pass_to(hasher);
  }
  return hasher.digest();
}

// Whether no file was touched so shortly before `now` that its times could not show another change.
bool is_all_settled(const LayerTree& tree, std::int64_t now) {
  return std::ranges::all_of(tree.items(),
                             [&](const auto& entry) { return is_settled(entry.second.stamp, now, clock_tick); });
}

std::optional<Layer> remembered(const std::string& name, const LayerOptions& options, const ImageStore& store) {
  const auto diff_id = store.find_hint(name);
  const auto blob = diff_id ? store.find_layer(*diff_id) : std::nullopt;
  if (!blob || blob->media_type != layer_media_type(options.compression)) {
    return std::nullopt;
  }
  return Layer{.diff_id = *diff_id, .blob = *blob, .is_cached = true};
}

Result<Layer> write_new_layer(const LayerTree& tree, const LayerOptions& options, ImageStore& store) {
  auto blob = store.new_blob();
  if (!blob) {
    return blob.error();
  }
  auto compressor = Compressor::make(options.compression, [&](std::string_view piece) { return blob->write(piece); });
  if (!compressor) {
    return compressor.error();
  }
  Hasher hasher;
  const auto written = write_layer_tar(tree, options, [&](std::string_view piece) {
    hasher.add(piece);
    return compressor->add(piece);
  });
  if (!written) {
    return written.error();
  }
  if (const auto finished = compressor->finish(); !finished) {
    return finished.error();
  }
  const auto kept = blob->keep(layer_media_type(options.compression));
  if (!kept) {
    return kept.error();
  }
  return Layer{.diff_id = hasher.digest(), .blob = *kept};
}

}  // namespace

Status write_layer_tar(const LayerTree& tree, const LayerOptions& options, const PieceSink& sink) {
  return TreeTar(options, sink).write(tree);
}

Result<Layer> write_layer(const LayerTree& tree, const LayerOptions& options, ImageStore& store) {
  const auto began = wall_time();
  const auto name = "tree-" + std::string(fingerprint(tree, options).encoded());
  if (auto known = remembered(name, options, store)) {
    return *known;
  }
  auto layer = write_new_layer(tree, options, store);
  if (!layer) {
    return layer.error();
  }
  if (const auto noted = store.remember_layer(layer->diff_id, layer->blob); !noted) {
    return noted.error();
  }
  if (is_all_settled(tree, began)) {
    if (const auto noted = store.remember_hint(name, layer->diff_id); !noted) {
      return noted.error();
    }
  }
  return layer;
}

}  // namespace deployctl::oci
