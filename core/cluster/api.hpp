// One request to the API server: addressed, authorised, repeated when that is right, and its failure put into words.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/api_error.hpp"
#include "core/cluster/connection.hpp"
#include "core/http/transport.hpp"
#include "core/io/clock.hpp"
#include "core/json/value.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace deployctl::cluster {

// Whether a request may be sent again when it is not known what became of it.
enum class Repeat { no, yes };

struct Call {
  std::string method = "GET";
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::string content_type;
  std::string body;
  std::string accept = "application/json";
  Operation operation;
  Repeat repeat = Repeat::yes;
  http::Timeouts timeouts;
  std::uint64_t max_body_bytes = 64u << 20u;
};

// How long a request takes at most: reading, and writing, which waits for admission webhooks.
http::Timeouts reading_timeouts();
http::Timeouts writing_timeouts();

class Api {
 public:
  Api(Connection connection, http::Transport& transport, io::Clock& clock)
      : connection_(std::move(connection)), transport_(transport), clock_(clock) {}

  [[nodiscard]] const Connection& connection() const { return connection_; }
  [[nodiscard]] io::Clock& clock() { return clock_; }

  // Only answers with a 2xx status; all others are errors. `refusal` receives what the server said about one.
  base::Result<http::Response> send(const Call& call, std::stop_token stop, StatusDetails* refusal = nullptr);
  // The same with the body read as JSON.
  base::Result<json::Value> send_for_json(const Call& call, std::stop_token stop);
  // Once, without repeating anything, the body going to the sink: for watches and followed logs.
  base::Result<http::Response> stream(const Call& call, const http::Exchange& exchange);

  // Remarks of the server (Warning header) since the last call, each once.
  std::vector<std::string> take_warnings();

 private:
  base::Result<http::Response> attempt(const Call& call, const http::Exchange& exchange);
  base::Result<http::Response> attempt_authorized(const Call& call, const http::Exchange& exchange);
  void collect_warnings(const http::Response& response);

  Connection connection_;
  http::Transport& transport_;
  io::Clock& clock_;
  std::atomic<bool> has_answered_ = false;
  std::mutex mutex_;
  std::vector<std::string> warnings_;
};

}  // namespace deployctl::cluster
