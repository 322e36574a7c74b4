// Zstandard as layers use it (media type "…+zstd"), read.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/gzip.hpp"

#include <memory>
#include <string_view>

namespace deployctl::oci {

// Several frames after one another are read as one; skippable frames are passed over. A frame that wants a window of
// more than 128 MiB is refused.
class ZstdReader {
 public:
  explicit ZstdReader(PieceSink sink);
  ~ZstdReader();
  ZstdReader(ZstdReader&&) noexcept;
  ZstdReader& operator=(ZstdReader&&) noexcept;

  // failed when the bytes are not zstd or their checksum is wrong.
  base::Status add(std::string_view piece);
  // failed when the last frame is incomplete.
  base::Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace deployctl::oci
