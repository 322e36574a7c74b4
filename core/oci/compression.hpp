// The forms a layer is stored in, and one writer for all of them.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/gzip.hpp"
#include "core/oci/zstd_writer.hpp"

#include <string_view>
#include <variant>

namespace deployctl::oci {

enum class Compression { gzip, zstd };

std::string_view to_string(Compression compression);         // "gzip"
std::string_view layer_media_type(Compression compression);  // OCI's

class Compressor {
 public:
  // `sink` is called from any thread, one call at a time, in order, and never after finish() or the destructor.
  static base::Result<Compressor> make(Compression compression, PieceSink sink);

  base::Status add(std::string_view piece);
  // Writes what is left; nothing may be added afterwards.
  base::Status finish();

 private:
  using Writer = std::variant<GzipWriter, ZstdWriter>;
  explicit Compressor(Writer writer) : writer_(std::move(writer)) {}

  Writer writer_;
};

}  // namespace deployctl::oci
