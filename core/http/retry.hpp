// When a failed exchange is worth another try, and how long to wait before it.
#pragma once

#include "core/http/transport.hpp"
#include "core/io/clock.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace deployctl::http {

enum class Outcome {
  final,      // an answer, or an error that another try will not change
  transient,  // no connection, a broken one, 408, 500, 502, 503, 504, 499, 522
  throttled,  // 429, and 503 with Retry-After: the server is well and wants us slower
};

Outcome outcome_of(const base::Result<Response>& answer);

// How long the answer asks us to wait: Retry-After in seconds or as an HTTP date (RFC 9110 section 10.2.3). Nothing
// when it does not ask, or for a date that has passed.
std::optional<std::chrono::milliseconds> retry_after(const Headers& headers, io::WallTime now);

// The three forms of RFC 9110 section 5.6.7; nothing when it is none of them.
std::optional<io::WallTime> parse_http_date(std::string_view text);

struct RetryPolicy {
  int attempts = 5;                                // the first one included
  std::chrono::milliseconds first_wait{1'000};     // doubled for each further one
  std::chrono::milliseconds longest_wait{60'000};  // of one wait; a server that asks for more is not waited for
  std::chrono::milliseconds budget{180'000};       // from the first attempt's start to the start of the last one
  double jitter = 0.2;                             // each wait varies by that part of itself
  bool only_throttled = false;                     // repeat only what the server says that it did not take
};

// The wait before attempt `attempt` + 1 (the first attempt is 1). `random` is in [0, 1).
std::chrono::milliseconds backoff(const RetryPolicy& policy, int attempt, double random);

struct Retry {
  int attempt = 0;                   // the one that failed, from 1
  std::chrono::milliseconds wait{};  // before the next
  std::string reason;                // "connection refused", "503"
};

// Sends through another transport and repeats what is worth repeating. Methods that are not idempotent are repeated
// only when the server says that it did not take the request (429, 503 with Retry-After). A broken exchange with an
// on_body sink is not repeated: pieces may have been given out already.
class RetryingTransport final : public Transport {
 public:
  using OnRetry = std::function<void(const Request&, const Retry&)>;

  RetryingTransport(Transport& next, io::Clock& clock, RetryPolicy policy = {}, OnRetry on_retry = {});

  base::Result<Response> send(const Request& request, const Exchange& exchange = {}) override;

 private:
  Transport& next_;
  io::Clock& clock_;
  RetryPolicy policy_;
  OnRetry on_retry_;
};

// The same for one call with a policy of its own.
struct RetryContext {
  Transport& transport;
  io::Clock& clock;
  const RetryPolicy& policy;
  const RetryingTransport::OnRetry& on_retry;
};
base::Result<Response> send_with_retries(const RetryContext& context, const Request& request, const Exchange& exchange);

// A number in [0, 1) that differs from call to call; for jitter only.
double random_fraction();

}  // namespace deployctl::http
