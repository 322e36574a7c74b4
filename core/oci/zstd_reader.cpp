#include "core/oci/zstd_reader.hpp"

#include <zstd.h>

#include <string>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Status;

constexpr int largest_window_log = 27;

}  // namespace

struct ZstdReader::State {
  explicit State(PieceSink to) : sink(std::move(to)), stream(ZSTD_createDStream()), out(ZSTD_DStreamOutSize(), '\0') {
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, largest_window_log);
  }
  ~State() { ZSTD_freeDStream(stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  PieceSink sink;
  ZSTD_DStream* stream;
  std::string out;
  bool in_frame = false;
};

ZstdReader::ZstdReader(PieceSink sink) : state_(std::make_unique<State>(std::move(sink))) {}
ZstdReader::~ZstdReader() = default;
ZstdReader::ZstdReader(ZstdReader&&) noexcept = default;
ZstdReader& ZstdReader::operator=(ZstdReader&&) noexcept = default;

Status ZstdReader::add(std::string_view piece) {
  auto& out = state_->out;
  ZSTD_inBuffer input{piece.data(), piece.size(), 0};
  bool is_full = false;
  while (input.pos < input.size || is_full) {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const auto left = ZSTD_decompressStream(state_->stream, &output, &input);
    if (ZSTD_isError(left) != 0) {
      return Error::failed("the compressed data is damaged: {}", ZSTD_getErrorName(left));
    }
    state_->in_frame = left != 0;
    is_full = state_->in_frame && output.pos == output.size;
    if (const auto taken = state_->sink({out.data(), output.pos}); !taken) {
      return taken;
    }
  }
  return {};
}

Status ZstdReader::finish() {
  return state_->in_frame ? Status(Error::failed("the compressed data ends early")) : Status();
}

}  // namespace deployctl::oci
