// Makes an image layer of a tree: a tar archive, compressed, in the store, in one pass over the files.
//
// The same tree with the same options gives the same diffID on every machine, and the same digest with the same
// compressor. An unchanged tree is not read again: the store remembers what its files looked like.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/compression.hpp"
#include "core/oci/image_store.hpp"
#include "core/oci/layer_tree.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::oci {

struct LayerOptions {
  Compression compression = Compression::gzip;
  std::int64_t time = 0;                            // of every entry, seconds since 1970
  std::function<void(std::uint64_t read)> on_read;  // bytes of the files so far
  // Asked with the first bytes of every file of this machine (64 KiB, or all there are) as it is read; an error ends
  // the layer. A layer that is remembered was asked for when it was written, under the same `check_version`.
  std::function<base::Status(std::string_view path, std::string_view first_bytes)> check;
  std::string check_version;
  std::stop_token stop;
};

struct Layer {
  Digest diff_id;   // of the tar
  Descriptor blob;  // as it lies in the store
  bool is_cached = false;
};

// refused when a file changes while it is read; interrupted when stopped; failed when one cannot be read or the store
// cannot be written.
base::Result<Layer> write_layer(const LayerTree& tree, const LayerOptions& options, ImageStore& store);

// The tar alone, piece by piece.
base::Status write_layer_tar(const LayerTree& tree, const LayerOptions& options, const PieceSink& sink);

}  // namespace deployctl::oci
