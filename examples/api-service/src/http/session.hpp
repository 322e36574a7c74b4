// One connection of the server: reads a request, has it answered, writes the answer, and again. Beast ends here.
#pragma once

#include "http/awaitable.hpp"
#include "http/server.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <memory>

namespace http {

// What all connections of a server share.
struct Serving {
  const ServerOptions options;
  const Answer answer;
  std::atomic<bool> draining = false;  // every answer says that its connection closes
  std::atomic<bool> stopping = false;  // a connection without a request is not kept
};

class Session {
 public:
  virtual ~Session() = default;

  // Until the connection ends. The session must live as long.
  virtual asio::awaitable<void> run() = 0;

  // Closes the connection if no request has begun on it. Safe from any thread.
  virtual void end_if_idle() = 0;
};

std::shared_ptr<Session> make_session(asio::ip::tcp::socket socket, std::shared_ptr<const Serving> serving);

}  // namespace http
