// HTTP in clear, over a connection to an address or a socket of this machine: what registries and engines near at hand
// speak. It costs no library to load, and a file goes out without passing through this process. TLS, proxies and names
// that have to be looked up are libcurl's (curl_transport.hpp). The process must ignore SIGPIPE.
#pragma once

#include "core/http/transport.hpp"

#include <memory>
#include <string>

namespace deployctl::platform {

class ConnectionPool;

struct PlainOptions {
  std::string user_agent = "deployctl";
  std::size_t idle_connections = 64;  // kept open for the next request
};

class PlainTransport final : public http::Transport {
 public:
  explicit PlainTransport(PlainOptions options = {});
  ~PlainTransport() override;

  // Whether it needs neither TLS nor a look-up; a proxy is the caller's to think of.
  static bool can_carry(const http::Request& request);

  base::Result<http::Response> send(const http::Request& request, const http::Exchange& exchange = {}) override;
  void prepare(const http::Request& like, int connections) override;

 private:
  base::Result<http::Response> send_on_new(const std::string& peer, const http::Request& request,
                                           const http::Exchange& exchange);

  PlainOptions options_;
  std::unique_ptr<ConnectionPool> pool_;
};

}  // namespace deployctl::platform
