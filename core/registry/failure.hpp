// A registry's refusals in words (distribution-spec "Error Codes").
#pragma once

#include "core/base/error.hpp"
#include "core/http/transport.hpp"

#include <string>
#include <vector>

namespace deployctl::registry {

struct ErrorEntry {
  std::string code;  // "BLOB_UPLOAD_UNKNOWN"
  std::string message;
};

// The body's "errors"; none when the body is something else, as it is from proxies and rate limiters.
std::vector<ErrorEntry> error_entries(const http::Response& response);
bool has_error_code(const http::Response& response, std::string_view code);

struct Attempt {
  std::string registry;
  std::string repository;
  std::string doing;        // "upload layer 3f4a8b21c0de to"
  std::string credentials;  // "as user ada from /home/ada/.docker/config.json", "without credentials (none found in …)"
  bool has_credentials = false;
};

// The answer as an Error: unauthorized for 401 and 403, not_found for 404, unreachable for what a gateway says of a
// registry that is down, conflict for 409 and for a tag that must not be moved.
base::Error refusal(const http::Response& response, const Attempt& attempt);

}  // namespace deployctl::registry
