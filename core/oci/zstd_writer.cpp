// Every block is a frame of its own: frames after one another are one stream to readers, and can be made side by side.
#include "core/oci/zstd_writer.hpp"

#include "core/oci/block_pipeline.hpp"

#include <zstd.h>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t frame_bytes = 4u << 20u;
constexpr int level = 3;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Result<std::string> compress_frame(std::string_view block) {
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(block.size()), '\0');
  const auto size = ZSTD_compress2(context.get(), out.data(), out.size(), block.data(), block.size());
  if (ZSTD_isError(size) != 0) {
    return Error::failed("compressing failed: {}", ZSTD_getErrorName(size));
  }
  out.resize(size);
  return out;
}

}  // namespace

struct ZstdWriter::State {
  explicit State(PieceSink sink)
      : blocks(
            frame_bytes, [](std::string_view block, bool /*is_last*/) { return compress_frame(block); },
            std::move(sink)) {}

  BlockPipeline blocks;
};

ZstdWriter::ZstdWriter(PieceSink sink) : state_(std::make_unique<State>(std::move(sink))) {}
ZstdWriter::~ZstdWriter() = default;
ZstdWriter::ZstdWriter(ZstdWriter&&) noexcept = default;
ZstdWriter& ZstdWriter::operator=(ZstdWriter&&) noexcept = default;

Status ZstdWriter::add(std::string_view piece) {
  return state_->blocks.add(piece);
}

Status ZstdWriter::finish() {
  return state_->blocks.finish();
}

}  // namespace deployctl::oci
