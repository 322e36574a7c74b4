// An HTTP request and response as the service sees them: plain values, no library types, no connection.
#pragma once

#include "error/api_error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

// Header fields in the order they came; names compare without regard to case.
class Headers {
 public:
  void set(std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
  // The first field of that name; nothing when there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method;
  std::string path;   // as it was sent, percent-encoding kept
  std::string query;  // what follows the question mark
  Headers headers;
  std::string body;
  std::optional<error::ApiError> refusal;  // why the server could not read it; set, it is answered but not routed
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

}  // namespace http
