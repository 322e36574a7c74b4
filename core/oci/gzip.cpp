// What ISA-L writes depends on where its input is cut, so input is cut into blocks of one size, which are compressed
// side by side: each gives a piece of one deflate stream. Level 1 writes the same on every processor; from level 3 on,
// what comes out depends on the vector instructions a processor has (docs/decisions/0010-layer-compressor.md).
#include "core/oci/gzip.hpp"

#include "core/base/shared_library.hpp"
#include "core/oci/block_pipeline.hpp"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <utility>
#include <vector>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t deflate_block_bytes = 1u << 20u;
constexpr std::size_t growth_room = 4u << 10u;  // of a block that does not get smaller
constexpr std::size_t inflate_piece = 256u << 10u;
constexpr std::uint32_t level = 1;

struct Igzip {
  decltype(&isal_deflate_init) deflate_init = nullptr;
  decltype(&isal_deflate) deflate = nullptr;
  decltype(&isal_inflate_init) inflate_init = nullptr;
  decltype(&isal_inflate) inflate = nullptr;
  decltype(&crc32_gzip_refl) checksum = nullptr;
};

Result<Igzip> load_igzip() {
  const auto library = base::SharedLibrary::open({"libisal.so.2"}, "libisal2");
  if (!library) {
    return library.error();
  }
  Igzip igzip;
  for (const auto& bound :
       {library->bind(igzip.deflate_init, "isal_deflate_init"), library->bind(igzip.deflate, "isal_deflate"),
        library->bind(igzip.inflate_init, "isal_inflate_init"), library->bind(igzip.inflate, "isal_inflate"),
        library->bind(igzip.checksum, "crc32_gzip_refl")}) {
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

// A block as a piece of a deflate stream that ends on a byte boundary and refers to nothing before it.
Result<std::string> deflate_block(const Igzip& igzip, std::string_view block, bool is_last) {
  std::vector<std::uint8_t> level_buffer(ISAL_DEF_LVL1_DEFAULT);
  isal_zstream stream{};
  igzip.deflate_init(&stream);
  stream.level = level;
  stream.level_buf = level_buffer.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(block.data()));
  stream.avail_in = static_cast<std::uint32_t>(block.size());
  stream.end_of_stream = is_last ? 1 : 0;
  stream.flush = FULL_FLUSH;
  std::string out;
  std::size_t written = 0;
  do {
    out.resize(written + block.size() + growth_room);
    stream.next_out = bytes_of(out) + written;
    stream.avail_out = static_cast<std::uint32_t>(out.size() - written);
    if (const auto code = igzip.deflate(&stream); code != COMP_OK) {
      return Error::failed("compressing failed with code {}", code);
    }
    written = out.size() - stream.avail_out;
  } while (stream.avail_out == 0 || stream.avail_in > 0);
  out.resize(written);
  return out;
}

void append_little_endian(std::string& text, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) {
    text += static_cast<char>((number >> shift) & 0xFFU);
  }
}

// RFC 1952 section 2.3: deflate, no flags, no time, no extra flags, "unknown" operating system.
constexpr std::string_view gzip_header("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);

}  // namespace

struct GzipWriter::State {
  State(const Igzip& library, PieceSink to)
      : igzip(library),
        sink(std::move(to)),
        blocks(
            deflate_block_bytes,
            [this](std::string_view block, bool is_last) { return deflate_block(igzip, block, is_last); }, sink) {}

  Status begin() {
    const bool is_first = !std::exchange(is_begun, true);
    return is_first ? sink(gzip_header) : Status();
  }

  // RFC 1952: checksum and length of what was compressed, the length modulo 2^32.
  Status end() {
    std::string trailer;
    append_little_endian(trailer, checksum);
    append_little_endian(trailer, length);
    return sink(trailer);
  }

  const Igzip& igzip;
  PieceSink sink;
  std::uint32_t checksum = 0;
  std::uint32_t length = 0;
  bool is_begun = false;
  BlockPipeline blocks;
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
  if (const auto begun = state_->begin(); !begun) {
    return begun;
  }
  state_->checksum =
      state_->igzip.checksum(state_->checksum, reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size());
  state_->length += static_cast<std::uint32_t>(piece.size());
  return state_->blocks.add(piece);
}

Status GzipWriter::finish() {
  if (const auto begun = state_->begin(); !begun) {
    return begun;
  }
  const auto finished = state_->blocks.finish();
  return finished ? state_->end() : finished;
}

struct GzipReader::State {
  State(const Igzip& library, PieceSink to) : igzip(library), sink(std::move(to)), out(inflate_piece, '\0') {
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
