#include "core/oci/archive_file.hpp"

#include "core/oci/decompressor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;
using base::Status;

// A piece of this size unpacks to a few mebibytes at the very most.
constexpr std::size_t piece_bytes = 8u << 10u;

class ArchiveFile {
 public:
  explicit ArchiveFile(const std::string& path) : path_(path), file_(path, std::ios::binary) {}

  [[nodiscard]] bool is_open() const { return file_.is_open(); }

  Result<std::size_t> read(char* buffer, std::size_t size) {
    while (taken_ == plain_.size() && !is_complete_) {
      if (const auto filled = fill(); !filled) {
        return filled.error();
      }
    }
    const auto count = std::min(size, plain_.size() - taken_);
    std::memcpy(buffer, plain_.data() + taken_, count);
    taken_ += count;
    return count;
  }

 private:
  Status fill() {
    plain_.clear();
    taken_ = 0;
    std::string piece(piece_bytes, '\0');
    file_.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.resize(static_cast<std::size_t>(file_.gcount()));
    if (file_.bad()) {
      return Error::failed("cannot read {}", path_);
    }
    is_complete_ = piece.empty();
    return is_complete_ ? decompressor_.finish() : decompressor_.add(piece);
  }

  std::string path_;
  std::ifstream file_;
  std::string plain_;
  std::size_t taken_ = 0;  // of plain_
  bool is_complete_ = false;
  Decompressor decompressor_{[this](std::string_view piece) {
    plain_ += piece;
    return Status();
  }};
};

}  // namespace

Result<ByteReader> open_archive_file(const std::string& path) {
  const auto file = std::make_shared<ArchiveFile>(path);
  if (!file->is_open()) {
    const auto code = errno == ENOENT ? base::ErrorCode::not_found : base::ErrorCode::failed;
    return Error::make(code, "cannot open {}: {}", path, std::strerror(errno));
  }
  return ByteReader([file](char* buffer, std::size_t size) { return file->read(buffer, size); });
}

}  // namespace deployctl::oci
