// Images out of an engine: reads the tar stream that `docker save` (or `podman save`) writes and makes an OCI image of
// it in one pass, without unpacking the archive first.
//
// Two forms are understood: the one up to Docker 24 (<id>/layer.tar, <config>.json, manifest.json) and the one since
// Docker 25 (an OCI layout with a manifest.json beside it). Layers are compressed as they pass by; what was compressed
// before is taken from the store.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/image.hpp"
#include "core/oci/image_store.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::oci {

// Up to `size` further bytes into `buffer`; 0 at the end.
using ByteReader = std::function<base::Result<std::size_t>(char* buffer, std::size_t size)>;

struct ImportOptions {
  enum class Format { oci, docker };
  Format format = Format::oci;                      // of the manifest; the configuration is kept as it is
  std::function<void(std::uint64_t read)> on_read;  // bytes of the archive so far
  std::stop_token stop;
};

// The first image in the archive. Every layer is checked against the configuration's diffIDs. failed for an archive that
// is damaged or cut short.
base::Result<StoredImage> import_docker_archive(const ByteReader& archive, ImageStore& store,
                                                const ImportOptions& options = {});

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
