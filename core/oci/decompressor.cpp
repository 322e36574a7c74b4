#include "core/oci/decompressor.hpp"

#include <algorithm>

namespace deployctl::oci {
namespace {

using base::Status;

constexpr std::size_t longest_magic = 4;

bool is_gzip(std::string_view head) {
  return head.starts_with("\x1f\x8b");
}

// A frame, or a skippable one, which may stand first.
bool is_zstd(std::string_view head) {
  return head.starts_with("\x28\xb5\x2f\xfd") ||
         (head.substr(1) == "\x2a\x4d\x18" && (static_cast<unsigned char>(head.front()) & 0xf0u) == 0x50u);
}

}  // namespace

Status Decompressor::add(std::string_view piece) {
  if (is_open_) {
    return pass_on(piece);
  }
  const auto count = std::min(piece.size(), longest_magic - head_.size());
  head_ += piece.substr(0, count);
  if (head_.size() < longest_magic) {
    return {};
  }
  const auto opened = open();
  return opened ? pass_on(piece.substr(count)) : opened;
}

Status Decompressor::finish() {
  if (!is_open_ && !head_.empty()) {
    if (const auto opened = open(); !opened) {
      return opened;
    }
  }
  return gzip_ ? gzip_->finish() : zstd_ ? zstd_->finish() : Status();
}

// Chooses the way by the first bytes, and sends them on it.
Status Decompressor::open() {
  is_open_ = true;
  if (is_gzip(head_)) {
    auto reader = GzipReader::make(sink_);
    if (!reader) {
      return reader.error();
    }
    gzip_.emplace(*std::move(reader));
  } else if (is_zstd(head_)) {
    zstd_.emplace(sink_);
  }
  return pass_on(head_);
}

Status Decompressor::pass_on(std::string_view piece) {
  return gzip_ ? gzip_->add(piece) : zstd_ ? zstd_->add(piece) : sink_(piece);
}

}  // namespace deployctl::oci
