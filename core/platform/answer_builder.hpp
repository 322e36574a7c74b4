// The answer of an exchange while it arrives, with the limits that every transport keeps, and the words that all of
// them use for what goes wrong.
#pragma once

#include "core/http/transport.hpp"

#include <string>
#include <string_view>

namespace deployctl::platform {

inline constexpr std::size_t most_header_bytes = 256u << 10u;

// "registry.example.com:443", or the socket's path.
std::string peer_of(const http::Request& request);
// invalid_input for what must not be sent: another scheme, a line break in a header field.
base::Status check(const http::Request& request);

class AnswerBuilder {
 public:
  AnswerBuilder(const http::Request& request, const http::Exchange& exchange)
      : request_(request), exchange_(exchange) {}

  // Of an answer; an informational one (1xx) may come before the real one.
  void begin(int status);
  void add_field(std::string_view name, std::string_view value);
  // After the last field; the sink's error when it does not want the body.
  base::Status end_fields();
  // The sink's error, or failed when there is more than the request allows. The rest of a refusal's body is let go.
  base::Status add_body(std::string_view piece);

  [[nodiscard]] std::string peer() const { return peer_of(request_); }
  [[nodiscard]] int status() const { return response_.status; }
  [[nodiscard]] bool has_fields() const { return has_fields_; }
  // Refused, and nothing more of the body is wanted.
  [[nodiscard]] bool has_enough() const { return has_enough_; }
  [[nodiscard]] bool is_refusal() const { return has_fields_ && !response_.is_success(); }
  http::Response take() { return std::move(response_); }

 private:
  const http::Request& request_;
  const http::Exchange& exchange_;
  http::Response response_;
  bool has_fields_ = false;
  bool has_enough_ = false;
};

// unreachable, "cannot reach <peer>: <cause>"; `os_error` is errno, or 0 when it is not known.
base::Error not_connected(const std::string& peer, int os_error);
base::Error broke_off(const std::string& peer, std::string_view doing, int os_error);
base::Error closed_without_answer(const std::string& peer);
base::Error ended_early(const std::string& peer);
base::Error no_connection_within(const std::string& peer, std::chrono::milliseconds limit);
// unreachable, "<peer> timed out …".
base::Error timed_out(const std::string& peer, std::chrono::milliseconds total);
base::Error stalled(const std::string& peer, std::chrono::milliseconds stall);
// failed.
base::Error not_http(const std::string& peer);
base::Error too_many_fields(const std::string& peer);

// What errno says, in our words; empty for 0.
std::string system_words(int os_error);

}  // namespace deployctl::platform
