// What the API server's refusals mean, in words. An answer may be a Status object, any text, or nothing.
#pragma once

#include "core/base/error.hpp"
#include "core/http/transport.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::cluster {

struct Connection;

// What was asked, for messages.
struct Operation {
  std::string verb;        // "apply", "read", "list", "watch", "delete", "patch", "create"
  std::string object;      // "deployment/api", "pods"
  std::string name_space;  // empty: cluster-scoped
};

// One line of details.causes.
struct StatusCause {
  std::string reason;  // "FieldManagerConflict"
  std::string message;
  std::string field;
};

// A Status object (API conventions, "Response Status Kind"), as much of it as there was.
struct StatusDetails {
  int code = 0;        // of HTTP
  std::string reason;  // "NotFound"; empty when the answer was no Status
  std::string message;
  std::string kind;  // details.kind: "namespaces"
  std::string name;  // details.name
  std::vector<StatusCause> causes;
  bool is_status = false;  // the answer was a Status object
  std::optional<std::chrono::milliseconds> retry_after;

  [[nodiscard]] bool has_cause(std::string_view reason) const;
};

StatusDetails read_status(const http::Response& response);

// The refusal as an error.
base::Error to_error(const StatusDetails& status, const Operation& operation, const Connection& connection);
// A request that got no answer: names the server and the context, and what to look at.
base::Error no_answer(const base::Error& error, const Operation& operation, const Connection& connection);

// Asked to come back later: 429, and server errors with Retry-After. Nothing for a refusal that will stay one, such as
// a 500 to an apply whose object does not fit the schema.
std::optional<std::chrono::milliseconds> retry_delay(const StatusDetails& status);

}  // namespace deployctl::cluster
