// When a request is sent again: the server asked for it (429, or a server error with Retry-After), our credentials had
// expired (once), or the connection broke and repeating does no harm. A server that has never answered is given up
// soon, one that has answered before is waited for: it may be restarting in the middle of a rollout.
#include "core/cluster/api.hpp"

#include "core/http/warning.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::cluster {
namespace {

using base::Error;
using base::Result;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds patience_for_answer = seconds(30);   // with a server that asks to come back
constexpr milliseconds patience_for_restart = seconds(60);  // with a server that has answered before
constexpr milliseconds patience_for_first_contact{1'000};
constexpr milliseconds first_pause{200};
constexpr milliseconds longest_pause{3'000};

http::Request request_for(const Call& call, const Connection& connection) {
  http::Request request{.method = call.method, .url = connection.server};
  auto& path = request.url.path;
  path = (path.ends_with('/') ? path.substr(0, path.size() - 1) : path) + call.path;
  for (const auto& [name, value] : call.query) {
    request.url = request.url.with_query(name, value);
  }
  request.headers.set("Accept", call.accept);
  request.headers.set("User-Agent", "deployctl");
  if (!call.content_type.empty()) {
    request.headers.set("Content-Type", call.content_type);
    request.body = http::body_of(call.body);
  }
  request.proxy = connection.proxy;
  request.timeouts = call.timeouts;
  request.max_body_bytes = call.max_body_bytes;
  return request;
}

// Pauses grow while the connection fails; a server that names a time is believed.
class Patience {
 public:
  Patience(io::Clock& clock, std::stop_token stop)
      : clock_(clock), stop_(std::move(stop)), began_(clock.steady_now()) {}

  // Waits and says true, or false when it is over.
  bool wait(milliseconds pause, milliseconds limit) {
    return clock_.steady_now() - began_ + pause <= limit && clock_.sleep_for(pause, stop_);
  }
  bool wait_longer_each_time(milliseconds limit) {
    const auto pause = pause_;
    pause_ = std::min(pause_ * 2, longest_pause);
    return wait(pause, limit);
  }

 private:
  io::Clock& clock_;
  std::stop_token stop_;
  io::SteadyTime began_;
  milliseconds pause_ = first_pause;
};

}  // namespace

http::Timeouts reading_timeouts() {
  return {.connect = seconds(5), .total = seconds(14), .stall = seconds(14)};
}

http::Timeouts writing_timeouts() {
  return {.connect = seconds(5), .total = seconds(40), .stall = seconds(40)};
}

Result<http::Response> Api::send(const Call& call, std::stop_token stop, StatusDetails* refusal) {
  Patience patience(clock_, stop);
  const http::Exchange exchange{.sink = {}, .on_upload = {}, .stop = stop};
  for (;;) {
    auto response = attempt_authorized(call, exchange);
    if (response && response->is_success()) {
      return response;
    }
    if (!response) {
      const bool may_repeat = response.error().code == base::ErrorCode::unreachable && call.repeat == Repeat::yes;
      const auto limit = has_answered_ ? patience_for_restart : patience_for_first_contact;
      if (may_repeat && patience.wait_longer_each_time(limit)) {
        continue;
      }
      if (stop.stop_requested()) {
        return Error::interrupted();
      }
      // Who has stayed away for so long is met as for the first time: what is left to do ends soon.
      has_answered_ = has_answered_ && !may_repeat;
      return no_answer(response.error(), call.operation, connection_);
    }
    auto status = read_status(*response);
    if (const auto delay = retry_delay(status); delay && patience.wait(*delay, patience_for_answer)) {
      continue;
    }
    if (stop.stop_requested()) {
      return Error::interrupted();
    }
    auto error = to_error(status, call.operation, connection_);
    if (refusal != nullptr) {
      *refusal = std::move(status);
    }
    return error;
  }
}

Result<json::Value> Api::send_for_json(const Call& call, std::stop_token stop) {
  const auto response = send(call, stop);
  if (!response) {
    return response.error();
  }
  return json::parse(response->body, "the API server's answer", {.bytes = call.max_body_bytes});
}

Result<http::Response> Api::stream(const Call& call, const http::Exchange& exchange) {
  auto response = attempt_authorized(call, exchange);
  if (!response) {
    return exchange.stop.stop_requested() ? Error::interrupted()
                                          : no_answer(response.error(), call.operation, connection_);
  }
  return response;
}

Result<http::Response> Api::attempt_authorized(const Call& call, const http::Exchange& exchange) {
  auto response = attempt(call, exchange);
  if (response && response->status == 401 && connection_.credentials->refresh()) {
    response = attempt(call, exchange);
  }
  return response;
}

Result<http::Response> Api::attempt(const Call& call, const http::Exchange& exchange) {
  auto request = request_for(call, connection_);
  if (auto status = connection_.credentials->authorize(request, exchange.stop); !status) {
    return status.error();
  }
  auto response = transport_.send(request, exchange);
  if (response) {
    has_answered_ = true;
    collect_warnings(*response);
  }
  return response;
}

void Api::collect_warnings(const http::Response& response) {
  const std::scoped_lock lock(mutex_);
  for (auto& text : http::warnings(response.headers)) {
    if (std::ranges::find(warnings_, text) == warnings_.end() && warnings_.size() < 100) {
      warnings_.push_back(std::move(text));
    }
  }
}

std::vector<std::string> Api::take_warnings() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(warnings_, {});
}

}  // namespace deployctl::cluster
