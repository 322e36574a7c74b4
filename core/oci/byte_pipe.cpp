#include "core/oci/byte_pipe.hpp"

#include <algorithm>
#include <cstring>

namespace deployctl::oci {

bool BytePipe::write(std::string_view piece) {
  std::unique_lock lock(mutex_);
  while (!piece.empty()) {
    changed_.wait(lock, [&] { return reader_closed_ || size() < capacity_; });
    if (reader_closed_) {
      return false;
    }
    if (taken_ == pending_.size()) {
      pending_.clear();
      taken_ = 0;
    }
    const auto count = std::min(piece.size(), capacity_ - size());
    pending_.append(piece.substr(0, count));
    piece.remove_prefix(count);
    changed_.notify_all();
  }
  return true;
}

void BytePipe::close_writer(base::Status status) {
  const std::scoped_lock lock(mutex_);
  writer_closed_ = true;
  status_ = std::move(status);
  changed_.notify_all();
}

base::Result<std::size_t> BytePipe::read(char* buffer, std::size_t size_wanted) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return writer_closed_ || size() > 0; });
  if (size() == 0) {
    return status_ ? base::Result<std::size_t>(std::size_t{0}) : status_.error();
  }
  const auto count = std::min(size_wanted, size());
  std::memcpy(buffer, pending_.data() + taken_, count);
  taken_ += count;
  compact();
  changed_.notify_all();
  return count;
}

void BytePipe::close_reader() {
  const std::scoped_lock lock(mutex_);
  reader_closed_ = true;
  pending_.clear();
  taken_ = 0;
  changed_.notify_all();
}

// Keeps the buffer from growing past twice its capacity without moving the bytes at every read.
void BytePipe::compact() {
  if (taken_ >= capacity_) {
    pending_.erase(0, taken_);
    taken_ = 0;
  }
}

}  // namespace deployctl::oci
