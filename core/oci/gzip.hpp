// Gzip as layers use it: one member, no name, no time, fixed level; the same bytes in give the same bytes out however
// they were cut into pieces.
//
// ISA-L does the work (five times as fast as zlib at the same size), loaded when it is first needed, on as many threads
// as there are processors.
#pragma once

#include "core/base/result.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace deployctl::oci {

using PieceSink = std::function<base::Status(std::string_view piece)>;

class GzipWriter {
 public:
  // `sink` is called from any thread, one call at a time, in order, and never after finish() or the destructor.
  static base::Result<GzipWriter> make(PieceSink sink);
  ~GzipWriter();
  GzipWriter(GzipWriter&&) noexcept;
  GzipWriter& operator=(GzipWriter&&) noexcept;

  base::Status add(std::string_view piece);
  // Writes what is left; nothing may be added afterwards.
  base::Status finish();

 private:
  struct State;
  explicit GzipWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The way back; several members after one another are read as one.
class GzipReader {
 public:
  static base::Result<GzipReader> make(PieceSink sink);
  ~GzipReader();
  GzipReader(GzipReader&&) noexcept;
  GzipReader& operator=(GzipReader&&) noexcept;

  // failed when the bytes are not gzip or their checksum is wrong.
  base::Status add(std::string_view piece);
  // failed when the last member is incomplete.
  base::Status finish();

 private:
  struct State;
  explicit GzipReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace deployctl::oci
