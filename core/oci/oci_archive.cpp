#include "core/oci/oci_archive.hpp"

#include "core/base/text.hpp"
#include "core/oci/layout.hpp"
#include "core/oci/tar_parser.hpp"

#include <optional>
#include <string>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t block_bytes = 256u << 10u;

// "blobs/sha256/<hex>", whatever stands in front: the digest.
std::optional<Digest> digest_of(std::string_view path) {
  constexpr std::string_view folder = "blobs/sha256/";
  const auto at = path.find(folder);
  if (at == std::string_view::npos || (at > 0 && path[at - 1] != '/')) {
    return std::nullopt;
  }
  const auto digest = Digest::parse("sha256:" + std::string(path.substr(at + folder.size())));
  return digest ? std::optional(*digest) : std::nullopt;
}

bool is_named(std::string_view path, std::string_view name) {
  return path == name || (path.starts_with("./") && path.substr(2) == name);
}

class Importer {
 public:
  explicit Importer(ImageStore& store) : store_(store) {}

  Result<ImageIndex> run(const ByteReader& archive, const std::stop_token& stop) {
    std::string buffer(block_bytes, '\0');
    while (true) {
      const auto count =
          stop.stop_requested() ? Result<std::size_t>(Error::interrupted()) : archive(buffer.data(), buffer.size());
      if (!count) {
        return count.error();
      }
      const auto taken = *count == 0 ? tar_.finish() : tar_.add({buffer.data(), *count});
      if (!taken) {
        return taken.error();
      }
      if (*count == 0) {
        return index();
      }
    }
  }

 private:
  Status begin(const TarParser::Header& header) {
    expected_ = header.kind == TarParser::Header::Kind::file ? digest_of(header.path) : std::nullopt;
    is_index_ = is_named(header.path, layout_index_file);
    if (is_index_ && header.size > longest_manifest) {
      return Error::failed("its {} is larger than {}", layout_index_file, base::human_bytes(longest_manifest));
    }
    const bool is_new = expected_ && !store_.has_blob({.digest = *expected_, .size = header.size});
    return is_new ? open_blob() : Status();
  }

  Status open_blob() {
    auto blob = store_.new_blob();
    if (!blob) {
      return blob.error();
    }
    blob_.emplace(*std::move(blob));
    return {};
  }

  Status take(std::string_view piece) {
    if (is_index_) {
      index_ += piece;
    }
    return blob_ ? blob_->write(piece) : Status();
  }

  Status end() {
    if (!blob_) {
      return {};
    }
    const auto kept = blob_->keep({});
    blob_.reset();
    if (!kept) {
      return kept.error();
    }
    return kept->digest == *expected_ ? Status()
                                      : Status(Error::failed("the blob {} is damaged: its content has the digest {}",
                                                             expected_->text(), kept->digest.text()));
  }

  [[nodiscard]] Result<ImageIndex> index() const {
    if (index_.empty()) {
      return Error::failed("it holds no {}: it is no OCI image layout", layout_index_file);
    }
    const auto document = parse_document(index_, media_type::image_index);
    return document ? Result<ImageIndex>(std::get<ImageIndex>(*document)) : document.error();
  }

  ImageStore& store_;
  std::optional<Digest> expected_;  // of the blob that is coming
  std::optional<BlobWriter> blob_;  // it, while it is not in the store
  bool is_index_ = false;           // what is coming is index.json
  std::string index_;
  TarParser tar_{{.on_entry = [this](const TarParser::Header& header) { return begin(header); },
                  .on_content = [this](std::string_view piece) { return take(piece); },
                  .on_end = [this] { return end(); }}};
};

}  // namespace

Result<ImageIndex> import_oci_archive(const ByteReader& archive, ImageStore& store, std::stop_token stop) {
  Importer importer(store);
  return importer.run(archive, stop);
}

}  // namespace deployctl::oci
