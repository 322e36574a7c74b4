#include "core/oci/zstd_reader.hpp"

#include "core/base/shared_library.hpp"

#include <zstd.h>

#include <string>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

struct Zstd {
  decltype(&ZSTD_createDStream) create = nullptr;
  decltype(&ZSTD_freeDStream) free = nullptr;
  decltype(&ZSTD_DCtx_setParameter) set_parameter = nullptr;
  decltype(&ZSTD_decompressStream) decompress = nullptr;
  decltype(&ZSTD_isError) is_error = nullptr;
  decltype(&ZSTD_getErrorName) error_name = nullptr;
  decltype(&ZSTD_DStreamOutSize) out_size = nullptr;
};

Result<Zstd> load_zstd() {
  const auto library = base::SharedLibrary::open({"libzstd.so.1"}, "libzstd1");
  if (!library) {
    return library.error();
  }
  Zstd zstd;
  for (const auto& bound :
       {library->bind(zstd.create, "ZSTD_createDStream"), library->bind(zstd.free, "ZSTD_freeDStream"),
        library->bind(zstd.set_parameter, "ZSTD_DCtx_setParameter"),
        library->bind(zstd.decompress, "ZSTD_decompressStream"), library->bind(zstd.is_error, "ZSTD_isError"),
        library->bind(zstd.error_name, "ZSTD_getErrorName"), library->bind(zstd.out_size, "ZSTD_DStreamOutSize")}) {
    if (!bound) {
      return bound.error();
    }
  }
  return zstd;
}

const Result<Zstd>& zstd_library() {
  static const auto library = load_zstd();
  return library;
}

constexpr int largest_window_log = 27;

}  // namespace

struct ZstdReader::State {
  State(const Zstd& library, PieceSink to)
      : zstd(library), sink(std::move(to)), stream(zstd.create()), out(zstd.out_size(), '\0') {
    zstd.set_parameter(stream, ZSTD_d_windowLogMax, largest_window_log);
  }
  ~State() { zstd.free(stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const Zstd& zstd;
  PieceSink sink;
  ZSTD_DStream* stream;
  std::string out;
  bool in_frame = false;
};

Result<ZstdReader> ZstdReader::make(PieceSink sink) {
  const auto& library = zstd_library();
  if (!library) {
    return library.error();
  }
  return ZstdReader(std::make_unique<State>(*library, std::move(sink)));
}

ZstdReader::ZstdReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZstdReader::~ZstdReader() = default;
ZstdReader::ZstdReader(ZstdReader&&) noexcept = default;
ZstdReader& ZstdReader::operator=(ZstdReader&&) noexcept = default;

Status ZstdReader::add(std::string_view piece) {
  auto& [zstd, sink, stream, out, in_frame] = *state_;
  ZSTD_inBuffer input{piece.data(), piece.size(), 0};
  bool is_full = false;
  while (input.pos < input.size || is_full) {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const auto left = zstd.decompress(stream, &output, &input);
    if (zstd.is_error(left) != 0) {
      return Error::failed("the compressed data is damaged: {}", zstd.error_name(left));
    }
    in_frame = left != 0;
    is_full = in_frame && output.pos == output.size;
    if (const auto taken = sink({out.data(), output.pos}); !taken) {
      return taken;
    }
  }
  return {};
}

Status ZstdReader::finish() {
  return state_->in_frame ? Status(Error::failed("the compressed data ends early")) : Status();
}

}  // namespace deployctl::oci
