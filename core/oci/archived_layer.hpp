// A layer of an engine's archive on its way into the store: compressed as it passes, or kept as it is when the archive
// holds it compressed.
//
// Engines name a layer after its content: since Docker 25 and in Podman the name is the layer's diffID, before it was
// the "v1 id", a hash over the layer's chain. Either way a name seen before tells which layer is coming, so that its
// bytes only have to be hashed, not compressed again.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/gzip.hpp"
#include "core/oci/image_store.hpp"
#include "core/oci/tar_reader.hpp"

#include <string>
#include <string_view>

namespace deployctl::oci {

struct ArchivedLayer {
  Digest diff_id;  // empty when it was not looked into (zstd)
  Descriptor blob;
  bool is_as_stored = false;  // the archive held it compressed already
};

// An entry of an archive: its first bytes, as many as it takes to tell what it is, and then the rest.
class EntryReader {
 public:
  static base::Result<EntryReader> open(TarReader& tar);

  [[nodiscard]] std::string_view head() const { return head_; }

  // Gives everything to the sink, the head first.
  base::Status read_all(const PieceSink& sink);

 private:
  explicit EntryReader(TarReader& tar) : tar_(&tar) {}

  TarReader* tar_;
  std::string head_;
};

// Whether an entry that begins so is a tar, compressed or not.
bool is_layer(std::string_view head);

// Reads the entry at `path` of the archive to its end. failed when it is damaged, when the store cannot be written, or
// when it is not what its name stood for before.
base::Result<ArchivedLayer> take_layer(std::string_view path, EntryReader& content, ImageStore& store);

}  // namespace deployctl::oci
