// Bytes that may be compressed, made plain as they come: gzip and zstd are told by their first bytes, anything else
// passes as it is.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/gzip.hpp"
#include "core/oci/zstd_reader.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace deployctl::oci {

class Decompressor {
 public:
  explicit Decompressor(PieceSink sink) : sink_(std::move(sink)) {}
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // failed when what began as compressed data is damaged.
  base::Status add(std::string_view piece);
  // failed when the compressed data ends early.
  base::Status finish();

 private:
  base::Status open();
  base::Status pass_on(std::string_view piece);

  PieceSink sink_;
  std::string head_;  // held back until there is enough to tell
  bool is_open_ = false;
  std::optional<GzipReader> gzip_;
  std::optional<ZstdReader> zstd_;
};

}  // namespace deployctl::oci
