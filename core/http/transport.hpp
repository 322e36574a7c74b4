// One HTTP exchange: what goes out, what comes back, and the interface that carries it.
//
// Nothing here follows redirects, retries or authenticates; that is the business of whoever knows the protocol.
#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/base/url.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::http {

// Header fields in their order; names compare without case (RFC 9110 section 5.1).
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  // The first field of that name.
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// A body that can be sent again from its start: bytes in memory or a stretch of a file.
class Body {
 public:
  virtual ~Body() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Back to the first byte.
  virtual base::Status rewind() = 0;
  // Up to `size` further bytes into `buffer`; 0 at the end.
  virtual base::Result<std::size_t> read(char* buffer, std::size_t size) = 0;
  // To that byte, counted from the first; a body that cannot jump reads on from its start.
  virtual base::Status seek(std::uint64_t offset);
};

std::shared_ptr<Body> body_of(std::string bytes);
// `length` bytes of another body from `offset` on.
std::shared_ptr<Body> part_of(std::shared_ptr<Body> whole, std::uint64_t offset, std::uint64_t length);

// How the peer proves itself, and how we do. PEM text, never paths.
struct TlsSettings {
  bool verify = true;
  std::string ca_pem;  // empty: the system's authorities
  std::string client_certificate_pem;
  base::Secret client_key_pem;
  std::string server_name;  // the name to verify when it is not the URL's host

  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

struct Timeouts {
  std::chrono::milliseconds connect{10'000};       // name look-up, connection and TLS handshake together
  std::optional<std::chrono::milliseconds> total;  // nothing: as long as bytes move
  std::chrono::milliseconds stall{60'000};         // ends a transfer in which nothing moves for so long
};

struct Request {
  std::string method = "GET";
  base::Url url;
  Headers headers;
  std::shared_ptr<Body> body;              // null: none
  std::shared_ptr<const TlsSettings> tls;  // null: defaults
  std::string unix_socket;                 // connect to this socket instead of the URL's host
  std::string proxy;                       // proxy URL; empty: the environment's by the usual rules; "direct": none
  Timeouts timeouts;
  bool on_new_connection = false;            // a kept one may have been closed in the meantime
  std::uint64_t max_body_bytes = 4u << 20u;  // of the answer kept in Response::body
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;  // empty when a sink took it
  [[nodiscard]] bool is_success() const { return status >= 200 && status < 300; }
};

// Where a long body goes piece by piece. on_headers is called once, before the first piece; a sink that returns an
// error ends the exchange with it. An answer whose status is not 2xx never reaches on_body: it is kept in
// Response::body (within the limit) so that errors can be read.
struct ResponseSink {
  std::function<base::Status(const Response&)> on_headers;
  std::function<base::Status(std::string_view)> on_body;
};

// Tells how far an upload has come; called from the sending thread.
using UploadProgress = std::function<void(std::uint64_t sent)>;

struct Exchange {
  ResponseSink sink;  // empty functions: the body is kept
  UploadProgress on_upload;
  std::stop_token stop;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Sends and waits. Thread-safe: each call uses a connection of its own, kept alive for the next.
  // unreachable: no connection, broken connection, time-out (`message` says which and to where); interrupted: stop was
  // requested; failed: an answer that is no HTTP or exceeds a limit. Any status is a Response, not an error.
  virtual base::Result<Response> send(const Request& request, const Exchange& exchange = {}) = 0;
  // A hint: so many connections to the peer of such a request will be needed soon. Where opening one takes long, they
  // are opened together with the first. Returns at once.
  virtual void prepare(const Request& /*like*/, int /*connections*/) {}
};

}  // namespace deployctl::http
