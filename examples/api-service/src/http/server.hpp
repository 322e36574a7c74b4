// An HTTP/1.1 server: connections, limits, time-outs, and an end that loses no request. What to answer is asked of one
// function. Knows nothing of routes.
#pragma once

#include "http/awaitable.hpp"
#include "http/message.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace http {

namespace asio = boost::asio;

struct ServerOptions {
  std::string host = "0.0.0.0";
  std::uint16_t port = 8080;
  std::chrono::milliseconds read_timeout{10'000};  // for a request from its first byte
  std::chrono::milliseconds write_timeout{10'000};
  std::chrono::milliseconds idle_timeout{75'000};
  std::uint32_t max_body_bytes = 1024 * 1024;
  std::uint32_t max_header_bytes = 16 * 1024;
};

// Answers a request; one that could not be read comes with its `refusal` set. Must not throw.
using Answer = std::function<asio::awaitable<Response>(Request)>;

class Server {
 public:
  struct State;  // what is inside: server.cpp only

  // Listens at once; throws std::runtime_error when it cannot.
  Server(asio::io_context& io, const ServerOptions& options, Answer answer);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  void start();

  // From now on every answer says that its connection closes: clients move elsewhere by themselves.
  void begin_draining();
  // Takes in the connections that wait to be accepted, then no more; ends those that are idle. Requests that are
  // being read or answered go on.
  void stop_accepting();
  // Waits until there is no connection left; false when that did not come to pass in time.
  asio::awaitable<bool> drained(std::chrono::steady_clock::time_point deadline);
  std::size_t connections() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace http
