#include "core/platform/system_transport.hpp"

namespace deployctl::platform {

SystemTransport::SystemTransport(http::ProxyRules proxies, const std::string& user_agent)
    : proxies_(proxies),
      plain_({.user_agent = user_agent}),
      curl_({.proxies = std::move(proxies), .user_agent = user_agent}) {}

bool SystemTransport::takes_proxy(const http::Request& request) const {
  if (!request.unix_socket.empty() || request.proxy == "direct") {
    return false;
  }
  return !request.proxy.empty() || !proxies_.proxy_for(request.url).empty();
}

http::Transport& SystemTransport::carrier_of(const http::Request& request) {
  if (PlainTransport::can_carry(request) && !takes_proxy(request)) {
    return plain_;
  }
  return curl_;
}

base::Result<http::Response> SystemTransport::send(const http::Request& request, const http::Exchange& exchange) {
  return carrier_of(request).send(request, exchange);
}

void SystemTransport::prepare(const http::Request& like, int connections) {
  carrier_of(like).prepare(like, connections);
}

void SystemTransport::expect_tls() {
  curl_.expect_tls();
}

}  // namespace deployctl::platform
