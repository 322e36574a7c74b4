// A tar archive read from a stream, entry by entry.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/byte_pipe.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace deployctl::oci {

struct TarEntry {
  enum class Kind { file, link, other };
  Kind kind = Kind::other;
  std::string path;         // as it stands in the archive
  std::string link_target;  // of a symbolic or hard link, resolved to a path in the archive
  std::uint64_t size = 0;
};

class TarReader {
 public:
  explicit TarReader(ByteReader source);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next entry, nothing at the archive's end. What was not read of the last one is skipped.
  base::Result<std::optional<TarEntry>> next();
  // The next piece of the entry's content, empty at its end; valid until the next call.
  base::Result<std::string_view> read();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace deployctl::oci
