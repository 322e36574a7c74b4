#include "core/oci/blob_file.hpp"

#include "core/base/text.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t piece_bytes = 256u << 10u;

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (file_ >= 0) {
      ::close(file_);
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  [[nodiscard]] bool is_open() const { return file_ >= 0; }

  // -1 when it is no regular file.
  [[nodiscard]] std::int64_t size() const {
    struct stat info {};
    return ::fstat(file_, &info) == 0 && S_ISREG(info.st_mode) ? info.st_size : -1;
  }

  // Bytes read, 0 at the end, -1 on an error.
  ssize_t read(std::string& buffer) const {
    ssize_t count = 0;
    do {
      count = ::read(file_, buffer.data(), buffer.size());
    } while (count < 0 && errno == EINTR);
    return count;
  }

 private:
  int file_;
};

// Everything to the sink; the digest of it.
Result<Digest> pass_on(const OpenFile& file, const std::string& path, const PieceSink& sink,
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
  const OpenFile file(path);
  if (!file.is_open()) {
    const auto code = errno == ENOENT ? base::ErrorCode::not_found : base::ErrorCode::failed;
    return Error::make(code, "cannot open {}: {}", path, std::strerror(errno));
  }
  if (const auto size = file.size(); size < 0 || static_cast<std::uint64_t>(size) != blob.size) {
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
