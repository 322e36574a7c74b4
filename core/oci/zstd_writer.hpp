// Zstandard as layers use it (RFC 8878): smaller than gzip and faster to read, but not known to every engine.
//
// The library is linked statically, so that the bytes depend on this program and not on the machine.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/gzip.hpp"

#include <memory>
#include <string_view>

namespace deployctl::oci {

class ZstdWriter {
 public:
  // `sink` is called from any thread, one call at a time, in order, and never after finish() or the destructor.
  explicit ZstdWriter(PieceSink sink);
  ~ZstdWriter();
  ZstdWriter(ZstdWriter&&) noexcept;
  ZstdWriter& operator=(ZstdWriter&&) noexcept;

  base::Status add(std::string_view piece);
  // Writes what is left; nothing may be added afterwards.
  base::Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace deployctl::oci
