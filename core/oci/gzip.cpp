// What ISA-L writes depends on where its input is cut, so input is gathered into blocks of one size first.
#include "core/oci/gzip.hpp"

#include "core/base/shared_library.hpp"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <vector>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t block_bytes = 256u << 10u;
constexpr std::uint32_t level = 1;

struct Igzip {
  decltype(&isal_deflate_init) deflate_init = nullptr;
  decltype(&isal_deflate) deflate = nullptr;
  decltype(&isal_inflate_init) inflate_init = nullptr;
  decltype(&isal_inflate) inflate = nullptr;
};

Result<Igzip> load_igzip() {
  const auto library = base::SharedLibrary::open({"libisal.so.2"}, "libisal2");
  if (!library) {
    return library.error();
  }
  Igzip igzip;
  for (const auto& bound :
       {library->bind(igzip.deflate_init, "isal_deflate_init"), library->bind(igzip.deflate, "isal_deflate"),
        library->bind(igzip.inflate_init, "isal_inflate_init"), library->bind(igzip.inflate, "isal_inflate")}) {
    if (!bound) {
      return bound.error();
    }
  }
  return igzip;
}

const Result<Igzip>& igzip_library() {
  static const auto library = load_igzip();
  return library;
}

std::uint8_t* bytes_of(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

}  // namespace

struct GzipWriter::State {
  State(const Igzip& library, PieceSink to)
      : igzip(library), sink(std::move(to)), level_buffer(ISAL_DEF_LVL1_DEFAULT), out(block_bytes, '\0') {
    igzip.deflate_init(&stream);
    stream.level = level;
    stream.level_buf = level_buffer.data();
    stream.level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
    stream.gzip_flag = IGZIP_GZIP;
    block.reserve(block_bytes);
  }

  Status compress_block(bool is_last) {
    stream.next_in = bytes_of(block);
    stream.avail_in = static_cast<std::uint32_t>(block.size());
    stream.end_of_stream = is_last ? 1 : 0;
    stream.flush = NO_FLUSH;
    do {
      stream.next_out = bytes_of(out);
      stream.avail_out = static_cast<std::uint32_t>(out.size());
      if (const auto code = igzip.deflate(&stream); code != COMP_OK) {
        return Error::failed("compressing failed with code {}", code);
      }
      if (const auto written = sink({out.data(), out.size() - stream.avail_out}); !written) {
        return written;
      }
    } while (stream.avail_out == 0 || (is_last && stream.internal_state.state != ZSTATE_END));
    block.clear();
    return {};
  }

  const Igzip& igzip;
  PieceSink sink;
  std::vector<std::uint8_t> level_buffer;
  std::string block;
  std::string out;
  isal_zstream stream{};
};

Result<GzipWriter> GzipWriter::make(PieceSink sink) {
  const auto& library = igzip_library();
  if (!library) {
    return library.error();
  }
  return GzipWriter(std::make_unique<State>(*library, std::move(sink)));
}

GzipWriter::GzipWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
GzipWriter::~GzipWriter() = default;
GzipWriter::GzipWriter(GzipWriter&&) noexcept = default;
GzipWriter& GzipWriter::operator=(GzipWriter&&) noexcept = default;

Status GzipWriter::add(std::string_view piece) {
  auto& block = state_->block;
  while (!piece.empty()) {
    const auto count = std::min(piece.size(), block_bytes - block.size());
    block.append(piece.substr(0, count));
    piece.remove_prefix(count);
    if (block.size() == block_bytes) {
      if (const auto done = state_->compress_block(false); !done) {
        return done;
      }
    }
  }
  return {};
}

Status GzipWriter::finish() {
  return state_->compress_block(true);
}

struct GzipReader::State {
  State(const Igzip& library, PieceSink to) : igzip(library), sink(std::move(to)), out(block_bytes, '\0') {
    begin_member();
  }

  void begin_member() {
    igzip.inflate_init(&stream);
    stream.crc_flag = ISAL_GZIP;
    in_member = false;
  }

  // One call of the library: takes some of the input, gives some output.
  Status step() {
    in_member = true;
    stream.next_out = bytes_of(out);
    stream.avail_out = static_cast<std::uint32_t>(out.size());
    if (const auto code = igzip.inflate(&stream); code != ISAL_DECOMP_OK && code != ISAL_END_INPUT) {
      return Error::failed("the compressed data is damaged");
    }
    return sink({out.data(), out.size() - stream.avail_out});
  }

  const Igzip& igzip;
  PieceSink sink;
  std::string out;
  inflate_state stream{};
  bool in_member = false;
};

Result<GzipReader> GzipReader::make(PieceSink sink) {
  const auto& library = igzip_library();
  if (!library) {
    return library.error();
  }
  return GzipReader(std::make_unique<State>(*library, std::move(sink)));
}

GzipReader::GzipReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
GzipReader::~GzipReader() = default;
GzipReader::GzipReader(GzipReader&&) noexcept = default;
GzipReader& GzipReader::operator=(GzipReader&&) noexcept = default;

Status GzipReader::add(std::string_view piece) {
  auto& stream = state_->stream;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(piece.data()));
  stream.avail_in = static_cast<std::uint32_t>(piece.size());
  bool is_full = false;
  while (stream.avail_in > 0 || is_full) {
    if (const auto done = state_->step(); !done) {
      return done;
    }
    is_full = stream.avail_out == 0;
    if (stream.block_state == ISAL_BLOCK_FINISH) {
      auto* next = stream.next_in;
      const auto left = stream.avail_in;
      state_->begin_member();
      stream.next_in = next;
      stream.avail_in = left;
      is_full = false;
    }
  }
  return {};
}

Status GzipReader::finish() {
  return state_->in_member ? Status(Error::failed("the compressed data ends early")) : Status();
}

}  // namespace deployctl::oci
