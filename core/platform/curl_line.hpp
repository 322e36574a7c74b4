// A connection of libcurl's and the handles that drive it.
//
// One exchange is one easy handle driven by a multi handle of its own: curl_multi_poll can be woken from another thread
// at once (a stop request ends an idle watch without waiting for a time-out), and the multi handle keeps the
// connection for the next exchange with the same peer. Such a pair is a line; lines are never shared between threads
// and never given to another peer, so a connection opened with one set of TLS settings is never used with another.
#pragma once

#include "core/http/transport.hpp"
#include "core/platform/curl_library.hpp"
#include "core/platform/curl_sessions.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::platform {

// What a connection was opened with, and so what it may be used for again.
struct CurlRoute {
  std::string origin;  // "https://host:port"
  std::string unix_socket;
  std::string proxy;
  http::TlsSettings tls;

  friend bool operator==(const CurlRoute&, const CurlRoute&) = default;
};

struct CurlLine {
  const CurlLibrary& curl;
  CurlRoute route;
  std::vector<curl_socket_t> sockets;  // open ones; libcurl tells of none while a request is on its way
  CURL* easy = nullptr;
  CURLM* multi = nullptr;

  CurlLine(const CurlLibrary& library, CurlRoute to, const CurlSessions& sessions);
  ~CurlLine();
  CurlLine(const CurlLine&) = delete;
  CurlLine& operator=(const CurlLine&) = delete;

  // Bytes that the kernel has been given and the peer has not yet acknowledged.
  [[nodiscard]] int unsent() const;

  // For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION, with the line as their data.
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_close(void* self, curl_socket_t socket);
};

// Lines that wait for the next exchange. Any thread may call it.
class CurlLines {
 public:
  // At most `most_idle` are kept.
  explicit CurlLines(std::size_t most_idle) : most_idle_(most_idle) {}

  // One that was opened with this route, or a new one. While the first to a peer with TLS is being opened the others
  // wait a moment for the session that they can go on with.
  std::unique_ptr<CurlLine> take(const CurlLibrary& curl, CurlRoute route);
  // A new one in any case, at once.
  std::unique_ptr<CurlLine> open(const CurlLibrary& curl, CurlRoute route);
  // For the next exchange when it is clean; closed otherwise.
  void give_back(std::unique_ptr<CurlLine> line, bool is_clean);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  struct Opening {
    CurlRoute route;
    Moment since;
    bool is_over = false;
  };
  const CurlSessions& sessions(const CurlLibrary& curl);
  std::unique_ptr<CurlLine> take_idle(const CurlRoute& route);
  Opening* opening_of(const CurlRoute& route);

  std::size_t most_idle_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<CurlSessions> sessions_;         // since the library is there
  std::vector<Opening> openings_;                // of every route with TLS, the first line
  std::vector<std::unique_ptr<CurlLine>> idle_;  // the latest used at the back: it is most likely still open
};

}  // namespace deployctl::platform
