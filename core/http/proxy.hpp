// Which proxy a request takes, by the rules users of docker and kubectl expect: those of Go's net/http.
//
// HTTP_PROXY, HTTPS_PROXY and NO_PROXY in either case, upper case first; loopback addresses are always direct.
#pragma once

#include "core/base/url.hpp"
#include "core/io/environment.hpp"

#include <string>
#include <vector>

namespace deployctl::http {

struct ProxyRules {
  std::string http;   // proxy URL for http; empty: none
  std::string https;  // proxy URL for https; empty: none
  std::vector<std::string>
      excepted;  // NO_PROXY's entries: host, .suffix, *.suffix, address, network/bits, *, each with :port

  static ProxyRules from_environment(const io::Environment& environment);

  // The proxy's URL, empty for a direct connection.
  [[nodiscard]] std::string proxy_for(const base::Url& url) const;
};

}  // namespace deployctl::http
