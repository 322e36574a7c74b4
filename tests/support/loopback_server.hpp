// A small HTTP server on 127.0.0.1 whose every byte a test decides: for answers no well-behaved server would give.
//
// The handler is called in a thread of its own for each connection and plays the server's part until it returns, which
// closes the connection.
#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace deployctl::tests {

struct ReceivedRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}

  // The next request with its whole body; nothing when the client has closed.
  std::optional<ReceivedRequest> read_request() {
    auto request = read_head();
    if (request && request->headers.contains("content-length")) {
      const auto length = std::stoull(request->headers["content-length"]);
      while (buffer_.size() < length && fill()) {
      }
      request->body = buffer_.substr(0, length);
      buffer_.erase(0, length);
    }
    return request;
  }
  // The next request up to the empty line; its body stays unread.
  std::optional<ReceivedRequest> read_head() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) {
        return std::nullopt;
      }
    }
    auto request = parse(std::string_view(buffer_).substr(0, end + 2));
    buffer_.erase(0, end + 4);
    return request;
  }
  // So many bytes of what follows, which are thrown away; less when the client has closed.
  void read_bytes(std::size_t count) {
    while (buffer_.size() < count && fill()) {
    }
    buffer_.erase(0, count);
  }
  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void answer(int status, std::string_view body, std::string_view fields = {}) const {
    write("HTTP/1.1 " + std::to_string(status) + " Something\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n" + std::string(fields) + "\r\n" + std::string(body));
  }
  // Says nothing more until the client closes.
  void stall() {
    while (fill()) {
    }
  }
  // The next close sends RST instead of FIN.
  void reset_on_close() const {
    const linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

 private:
  bool fill() {
    char bytes[65536];
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) {
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  static ReceivedRequest parse(std::string_view head) {
    ReceivedRequest request;
    const auto line = head.substr(0, head.find("\r\n"));
    request.method = line.substr(0, line.find(' '));
    const auto rest = line.substr(line.find(' ') + 1);
    request.target = rest.substr(0, rest.find(' '));
    for (auto at = head.find("\r\n") + 2; at < head.size();) {
      const auto end = head.find("\r\n", at);
      const auto field = head.substr(at, end - at);
      std::string name(field.substr(0, field.find(':')));
      std::ranges::transform(name, name.begin(), [](char byte) { return static_cast<char>(std::tolower(byte)); });
      const auto value = field.substr(field.find(':') + 1);
      request.headers[name] = value.substr(std::min(value.find_first_not_of(' '), value.size()));
      at = end + 2;
    }
    return request;
  }

  int socket_;
  std::string buffer_;
};

class LoopbackServer {
 public:
  using Handler = std::function<void(Connection&)>;

  // `receive_buffer`: bytes that a client can be ahead of the handler; 0: as the system likes.
  explicit LoopbackServer(Handler handler, int receive_buffer = 0)
      : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 64);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~LoopbackServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::scoped_lock lock(mutex_);
      for (const int socket : open_) {
        ::shutdown(socket, SHUT_RDWR);
      }
    }
    for (auto& worker : workers_) {
      worker.join();
    }
    ::close(listener_);
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return "http://" + authority() + std::string(path);
  }
  [[nodiscard]] int connections() const {
    const std::scoped_lock lock(mutex_);
    return static_cast<int>(workers_.size());
  }

 private:
  void accept_all() {
    for (int socket = 0; (socket = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      const std::scoped_lock lock(mutex_);
      open_.push_back(socket);
      workers_.emplace_back([this, socket] { serve(socket); });
    }
  }
  void serve(int socket) {
    Connection connection(socket);
    handler_(connection);
    const std::scoped_lock lock(mutex_);
    std::erase(open_, socket);
    ::close(socket);
  }

  Handler handler_;
  int listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace deployctl::tests
