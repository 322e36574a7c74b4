// The program's way to all servers: a request goes by the simplest transport that can carry it.
#pragma once

#include "core/http/proxy.hpp"
#include "core/platform/curl_transport.hpp"
#include "core/platform/plain_transport.hpp"

namespace deployctl::platform {

class SystemTransport final : public http::Transport {
 public:
  SystemTransport(http::ProxyRules proxies, const std::string& user_agent);

  base::Result<http::Response> send(const http::Request& request, const http::Exchange& exchange = {}) override;
  void prepare(const http::Request& like, int connections) override;
  // A hint: something will be sent soon over TLS. What has to be loaded for it is loaded meanwhile. Returns at once.
  void expect_tls();

 private:
  [[nodiscard]] bool takes_proxy(const http::Request& request) const;
  http::Transport& carrier_of(const http::Request& request);

  http::ProxyRules proxies_;
  PlainTransport plain_;
  CurlTransport curl_;
};

}  // namespace deployctl::platform
