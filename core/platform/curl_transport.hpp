// HTTP over libcurl: with TLS, through proxies, and to names that have to be looked up. What needs none of that goes
// without (plain_transport.hpp).
#pragma once

#include "core/http/proxy.hpp"
#include "core/http/transport.hpp"

#include <memory>
#include <string>
#include <thread>

namespace deployctl::platform {

class CurlLines;

struct CurlOptions {
  http::ProxyRules proxies;
  std::string user_agent = "deployctl";
  std::size_t idle_connections = 32;  // kept open for the next request
};

class CurlTransport final : public http::Transport {
 public:
  explicit CurlTransport(CurlOptions options = {});
  ~CurlTransport() override;

  base::Result<http::Response> send(const http::Request& request, const http::Exchange& exchange = {}) override;
  // A hint: something will be sent soon over TLS. What has to be loaded for it is loaded meanwhile. Returns at once.
  void expect_tls();

 private:
  CurlOptions options_;
  std::unique_ptr<CurlLines> pool_;
  std::jthread loading_;  // the library
};

}  // namespace deployctl::platform
