// A stretch of a file as a request's body. The file is read while it is sent and never held in memory.
#pragma once

#include "core/http/transport.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace deployctl::platform {

// The bytes from `offset` on, `length` of them or all there are now. not_found or failed when the file cannot be opened
// or is shorter than that. A file that shrinks while it is sent makes read() fail.
base::Result<std::shared_ptr<http::Body>> open_file_body(const std::string& path, std::uint64_t offset = 0,
                                                         std::optional<std::uint64_t> length = std::nullopt);

}  // namespace deployctl::platform
