// A stretch of a file as a request's body. The file is read while it is sent and never held in memory.
#pragma once

#include "core/http/transport.hpp"
#include "core/platform/posix_descriptor.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace deployctl::platform {

class FileBody final : public http::Body {
 public:
  FileBody(Descriptor file, std::string path, std::uint64_t offset, std::uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), offset_(offset), size_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  base::Status rewind() override;
  base::Result<std::size_t> read(char* buffer, std::size_t size) override;
  base::Status seek(std::uint64_t offset) override;
  // The next bytes go from the file into a socket without passing through this process: how many the socket took, 0
  // when it has no room now or there are none left. `system_error` is set when it failed because of the socket.
  base::Result<std::size_t> send_to(int socket, std::size_t most, int& system_error);

 private:
  [[nodiscard]] base::Error shrunk() const;

  Descriptor file_;
  std::string path_;
  std::uint64_t offset_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
};

// The bytes from `offset` on, `length` of them or all there are now. not_found or failed when the file cannot be opened
// or is shorter than that. A file that shrinks while it is sent makes read() fail.
base::Result<std::shared_ptr<http::Body>> open_file_body(const std::string& path, std::uint64_t offset = 0,
                                                         std::optional<std::uint64_t> length = std::nullopt);

}  // namespace deployctl::platform
