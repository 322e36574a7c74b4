// What a client is told when its request is not done. Thrown anywhere below the error middleware, which turns it into
// the answer; anything else that is thrown there is a fault of ours and becomes a 500 that says nothing.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace error {

// The `code` of the envelope. Its first three digits are the HTTP status, the last two tell the reasons apart, so a
// client may match either. Published: numbers are added, never changed.
enum class Code : int {
  ok = 0,
  malformed_request = 40000,
  validation_failed = 40001,
  invalid_id = 40002,
  invalid_json = 40003,
  identity_missing = 40100,
  route_not_found = 40400,
  user_not_found = 40401,
  method_not_allowed = 40500,
  request_read_timeout = 40800,
  email_taken = 40900,
  body_too_large = 41300,
  unsupported_media_type = 41500,
  headers_too_large = 43100,
  internal = 50000,
  draining = 50300,
  timed_out = 50301,
  busy = 50302,
  store_unavailable = 50303,
};

constexpr int http_status(Code code) {
  return code == Code::ok ? 200 : static_cast<int>(code) / 100;
}

struct FieldError {
  std::string field;
  std::string reason;
  bool operator==(const FieldError&) const = default;
};

class ApiError : public std::runtime_error {
 public:
  ApiError(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ApiError with_fields(std::vector<FieldError> fields) && {
    fields_ = std::move(fields);
    return std::move(*this);
  }
  ApiError with_header(std::string name, std::string value) && {
    headers_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }

  Code code() const { return code_; }
  int status() const { return http_status(code_); }
  const std::vector<FieldError>& fields() const { return fields_; }
  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }

 private:
  Code code_;
  std::vector<FieldError> fields_;
  std::vector<std::pair<std::string, std::string>> headers_;  // sent with the answer, such as Allow
};

}  // namespace error
