// What a layer does to the files of an image, read from its blob as it comes (image-spec layer.md): entries with their
// content, and what is taken away of the layers below. Nothing is unpacked, and the memory it takes does not depend on
// the layer.
//
// Layers come from strangers. Refused are a path with "..", an overlong one, sparse files and unknown kinds, and more
// entries or bytes than LayerLimits allow. A path that begins with '/' is one below the image's root, as engines take
// it: builders write such.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/gzip.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace deployctl::oci {

struct LayerEntry {
  enum class Kind {
    file,
    directory,
    symlink,
    hard_link,
    device,
    fifo,
    whiteout,  // `path` and what is below it in lower layers is gone
    opaque,    // what is below the directory `path` in lower layers is gone
  };
  Kind kind = Kind::file;
  std::string path;         // from the image's root: "usr/bin/env"; "" is the root itself
  std::string link_target;  // a symbolic link's as it stands in the layer, a hard link's as a path from the root
  std::uint64_t size = 0;   // of a file's content
  std::uint32_t mode = 0;   // permission, set-id and sticky bits
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 0;  // seconds since 1970
};

// Called in the layer's order; an error ends the reading and is what add() returns.
struct LayerVisitor {
  std::function<base::Status(const LayerEntry& entry)> on_entry;
  // The content of the file that came last, piece by piece, and its end; either may be left out.
  std::function<base::Status(std::string_view piece)> on_content = {};
  std::function<base::Status()> on_end = {};
};

struct LayerLimits {
  std::uint64_t most_entries = 4'000'000;
  std::uint64_t most_bytes = std::uint64_t{64} << 30u;  // uncompressed
  std::size_t longest_path = 4096;
  std::uint64_t most_name_bytes = std::uint64_t{512} << 20u;  // of all paths and link targets together
};

// Takes the blob's bytes; gzip, zstd and plain tar are told apart by them, whatever the media type says.
class LayerReader {
 public:
  explicit LayerReader(LayerVisitor visitor, LayerLimits limits = {});
  ~LayerReader();
  LayerReader(LayerReader&&) noexcept;
  LayerReader& operator=(LayerReader&&) noexcept;

  // failed when the bytes are no layer, refused when it asks for something no layer may.
  base::Status add(std::string_view piece);
  // failed when the layer is cut short.
  base::Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Gives a blob's bytes to a sink in order: read_blob_file, or registry::Client::fetch_blob. What it gave out counts
// only when it returns success.
using BlobSource = std::function<base::Status(const PieceSink& sink)>;

// A whole layer.
base::Status read_layer(const BlobSource& source, LayerVisitor visitor, LayerLimits limits = {});

}  // namespace deployctl::oci
