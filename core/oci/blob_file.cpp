#include "core/oci/blob_file.hpp"

#include "core/base/text.hpp"
#include "core/oci/open_path.hpp"

#include <cerrno>
#include <cstring>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t piece_bytes = 256u << 10u;

// Everything to the sink; the digest of it.
Result<Digest> pass_on(const OpenPath& file, const std::string& path, const PieceSink& sink,
                       const std::stop_token& stop) {
  Hasher hasher;
  std::string buffer(piece_bytes, '\0');
  while (true) {
    if (stop.stop_requested()) {
      return Error::interrupted();
    }
    const auto count = file.read(buffer);
    if (count < 0) {
      return Error::failed("cannot read {}: {}", path, std::strerror(errno));
    }
    if (count == 0) {
      return hasher.digest();
    }
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(count));
    hasher.add(piece);
    if (const auto taken = sink(piece); !taken) {
      return taken.error();
    }
  }
}

}  // namespace

Status read_blob_file(const std::string& path, const Descriptor& blob, const PieceSink& sink, std::stop_token stop) {
  const OpenPath file(path);
  if (!file.is_open()) {
    const auto code = errno == ENOENT ? base::ErrorCode::not_found : base::ErrorCode::failed;
    return Error::make(code, "cannot open {}: {}", path, std::strerror(errno));
  }
  const auto info = file.info();
  if (!info || !S_ISREG(info->st_mode) || static_cast<std::uint64_t>(info->st_size) != blob.size) {
    return Error::failed("{} is not the {} bytes its descriptor says", path, blob.size);
  }
  if (!blob.digest.is_sha256()) {
    return Error::failed("the digest {} is of a kind that cannot be checked", blob.digest.text());
  }
  const auto digest = pass_on(file, path, sink, stop);
  if (!digest) {
    return digest.error();
  }
  return *digest == blob.digest
             ? Status()
             : Status(Error::failed("{} is damaged: its content has the digest {}", path, digest->text()));
}

}  // namespace deployctl::oci
