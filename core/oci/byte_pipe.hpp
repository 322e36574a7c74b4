// Bytes on their way from one thread to another.
#pragma once

#include "core/base/result.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace deployctl::oci {

// Up to `size` further bytes into `buffer`; 0 at the end.
using ByteReader = std::function<base::Result<std::size_t>(char* buffer, std::size_t size)>;

// Joins a producer that pushes (a process's output) to a consumer that pulls, in another thread, with bounded memory.
class BytePipe {
 public:
  explicit BytePipe(std::size_t capacity = 1u << 20u) : capacity_(capacity) {}

  // Waits for room. False when the reader has gone: nobody wants more.
  bool write(std::string_view piece);
  // No more will come: the end when `status` is good, an error for the reader otherwise.
  void close_writer(base::Status status = {});

  base::Result<std::size_t> read(char* buffer, std::size_t size);
  void close_reader();

  [[nodiscard]] ByteReader reader() {
    return [this](char* buffer, std::size_t size) { return read(buffer, size); };
  }

 private:
  [[nodiscard]] std::size_t size() const { return pending_.size() - taken_; }
  void compact();

  std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string pending_;
  std::size_t taken_ = 0;  // of pending_
  bool writer_closed_ = false;
  bool reader_closed_ = false;
  base::Status status_;
};

}  // namespace deployctl::oci
