#include "core/oci/compression.hpp"

#include "core/oci/descriptor.hpp"

namespace deployctl::oci {

std::string_view to_string(Compression compression) {
  return compression == Compression::zstd ? "zstd" : "gzip";
}

std::string_view layer_media_type(Compression compression) {
  return compression == Compression::zstd ? media_type::layer_zstd : media_type::layer_gzip;
}

base::Result<Compressor> Compressor::make(Compression compression, PieceSink sink) {
  if (compression == Compression::zstd) {
    return Compressor(Writer(std::in_place_type<ZstdWriter>, std::move(sink)));
  }
  auto gzip = GzipWriter::make(std::move(sink));
  return gzip ? base::Result<Compressor>(Compressor(std::move(*gzip))) : gzip.error();
}

base::Status Compressor::add(std::string_view piece) {
  return std::visit([&](auto& writer) { return writer.add(piece); }, writer_);
}

base::Status Compressor::finish() {
  return std::visit([](auto& writer) { return writer.finish(); }, writer_);
}

}  // namespace deployctl::oci
