#include "core/oci/archived_layer.hpp"

#include <algorithm>
#include <optional>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t tar_block = 512;

bool is_gzip(std::string_view head) {
  return head.starts_with("\x1f\x8b");
}
bool is_zstd(std::string_view head) {
  return head.starts_with("\x28\xb5\x2f\xfd");
}

bool is_tar(std::string_view head) {
  if (head.size() < tar_block) {
    return false;
  }
  return head.substr(257, 5) == "ustar" ||
         std::ranges::all_of(head.substr(0, tar_block), [](char byte) { return byte == 0; });
}

// The name under which a layer's content is known: "<id>/layer.tar", "<hex>.tar", "blobs/sha256/<hex>".
std::string content_name(std::string_view path) {
  if (path.ends_with("/layer.tar")) {
    path.remove_suffix(std::string_view("/layer.tar").size());
  } else if (path.ends_with(".tar")) {
    path.remove_suffix(std::string_view(".tar").size());
  }
  return std::string(path.substr(path.rfind('/') + 1));
}

std::optional<Digest> expected_diff_id(std::string_view path, const ImageStore& store) {
  const auto name = content_name(path);
  if (auto hint = store.find_hint(name)) {
    return hint;
  }
  const auto digest = Digest::parse("sha256:" + name);
  return digest ? std::optional(*digest) : std::nullopt;
}

Result<ArchivedLayer> check_known(std::string_view path, const Digest& expected, const Descriptor& blob,
                                  EntryReader& content, ImageStore& store) {
  Hasher hasher;
  const auto read = content.read_all([&](std::string_view piece) {
    hasher.add(piece);
    return Status();
  });
  if (!read) {
    return read.error();
  }
  const auto diff_id = hasher.digest();
  if (diff_id != expected) {
    (void)store.remember_hint(content_name(path), diff_id);
    return Error::failed("the layer is not the one it was under this name before").with_hint("try again");
  }
  return ArchivedLayer{.diff_id = diff_id, .blob = blob};
}

Result<ArchivedLayer> compress(EntryReader& content, ImageStore& store) {
  auto blob = store.new_blob();
  if (!blob) {
    return blob.error();
  }
  auto gzip = GzipWriter::make([&](std::string_view piece) { return blob->write(piece); });
  if (!gzip) {
    return gzip.error();
  }
  Hasher hasher;
  auto done = content.read_all([&](std::string_view piece) {
    hasher.add(piece);
    return gzip->add(piece);
  });
  if (done) {
    done = gzip->finish();
  }
  if (!done) {
    return done.error();
  }
  const auto kept = blob->keep(media_type::layer_gzip);
  return kept ? Result<ArchivedLayer>(ArchivedLayer{.diff_id = hasher.digest(), .blob = *kept}) : kept.error();
}

// Bytes an engine compressed stay as they are: their digest may be known to registries.
Result<ArchivedLayer> keep_gzip(EntryReader& content, ImageStore& store) {
  auto blob = store.new_blob();
  if (!blob) {
    return blob.error();
  }
  Hasher hasher;
  auto gzip = GzipReader::make([&](std::string_view piece) {
    hasher.add(piece);
    return Status();
  });
  if (!gzip) {
    return gzip.error();
  }
  auto done = content.read_all([&](std::string_view piece) {
    const auto written = blob->write(piece);
    return written ? gzip->add(piece) : written;
  });
  if (done) {
    done = gzip->finish();
  }
  if (!done) {
    return done.error();
  }
  const auto kept = blob->keep(media_type::layer_gzip);
  return kept ? Result<ArchivedLayer>(ArchivedLayer{.diff_id = hasher.digest(), .blob = *kept, .is_as_stored = true})
              : kept.error();
}

Result<ArchivedLayer> keep_zstd(EntryReader& content, ImageStore& store) {
  auto blob = store.new_blob();
  if (!blob) {
    return blob.error();
  }
  const auto done = content.read_all([&](std::string_view piece) { return blob->write(piece); });
  if (!done) {
    return done.error();
  }
  const auto kept = blob->keep(media_type::layer_zstd);
  return kept ? Result<ArchivedLayer>(ArchivedLayer{.diff_id = {}, .blob = *kept, .is_as_stored = true}) : kept.error();
}

}  // namespace

Result<EntryReader> EntryReader::open(TarReader& tar) {
  EntryReader entry(tar);
  while (entry.head_.size() < tar_block) {
    const auto piece = tar.read();
    if (!piece) {
      return piece.error();
    }
    if (piece->empty()) {
      break;
    }
    entry.head_ += *piece;
  }
  return entry;
}

Status EntryReader::read_all(const PieceSink& sink) {
  auto status = sink(head_);
  while (status) {
    const auto piece = tar_->read();
    if (!piece || piece->empty()) {
      return piece ? Status() : piece.error();
    }
    status = sink(*piece);
  }
  return status;
}

bool is_layer(std::string_view head) {
  return is_tar(head) || is_gzip(head) || is_zstd(head);
}

Result<ArchivedLayer> take_layer(std::string_view path, EntryReader& content, ImageStore& store) {
  if (is_gzip(content.head())) {
    return keep_gzip(content, store);
  }
  if (is_zstd(content.head())) {
    return keep_zstd(content, store);
  }
  if (const auto expected = expected_diff_id(path, store)) {
    if (const auto blob = store.find_layer(*expected)) {
      return check_known(path, *expected, *blob, content, store);
    }
  }
  auto layer = compress(content, store);
  if (layer) {
    // Records only save work; a full disk shows itself where it matters.
    (void)store.remember_layer(layer->diff_id, layer->blob);
    (void)store.remember_hint(content_name(path), layer->diff_id);
  }
  return layer;
}

}  // namespace deployctl::oci
