// HTTP over libcurl: the one place where the program opens connections.
#pragma once

#include "core/http/proxy.hpp"
#include "core/http/transport.hpp"

#include <memory>
#include <string>

namespace deployctl::platform {

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

 private:
  class Pool;

  CurlOptions options_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace deployctl::platform
