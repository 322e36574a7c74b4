#include "core/http/proxy.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <optional>

namespace deployctl::http {
namespace {

std::string either_case(const io::Environment& environment, std::string_view upper) {
  return environment.get_or(upper, environment.get_or(base::to_lower(upper), ""));
}

std::string as_url(const std::string& proxy) {
  return proxy.empty() || proxy.find("://") != std::string::npos ? proxy : "http://" + proxy;
}

// An IPv4 or IPv6 address as bytes; 4 or 16 of them.
std::optional<std::string> address_bytes(const std::string& text) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    return std::string(bytes.data(), 4);
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    return std::string(bytes.data(), 16);
  }
  return std::nullopt;
}

bool shares_prefix(const std::string& left, const std::string& right, std::size_t bits) {
  if (left.size() != right.size() || bits > left.size() * 8) {
    return false;
  }
  const auto whole = bits / 8;
  const auto rest = bits % 8;
  if (left.compare(0, whole, right, 0, whole) != 0) {
    return false;
  }
  const auto mask = static_cast<unsigned char>(0xFF00U >> rest);
  return rest == 0 ||
         ((static_cast<unsigned char>(left[whole]) ^ static_cast<unsigned char>(right[whole])) & mask) == 0;
}

bool is_in_network(const std::string& host, std::string_view network) {
  const auto [address, bits_text] = base::split_once(network, '/');
  const auto bits = base::parse_integer(bits_text);
  const auto network_bytes = address_bytes(std::string(address));
  const auto host_bytes = address_bytes(host);
  return bits && *bits >= 0 && network_bytes && host_bytes &&
         shares_prefix(*network_bytes, *host_bytes, static_cast<std::size_t>(*bits));
}

struct HostAndPort {
  std::string host;
  int port = 0;  // 0: any
};

HostAndPort split_port(std::string_view entry) {
  if (address_bytes(std::string(entry))) {
    return {std::string(entry), 0};
  }
  const auto colon = entry.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : base::parse_integer(entry.substr(colon + 1));
  auto host = std::string(port ? entry.substr(0, colon) : entry);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  return {host, port ? static_cast<int>(*port) : 0};
}

bool excepts(std::string_view entry, const base::Url& url) {
  if (entry == "*") {
    return true;
  }
  if (entry.find('/') != std::string_view::npos) {
    return is_in_network(url.host, entry);
  }
  auto [host, port] = split_port(entry);
  if (port != 0 && port != url.effective_port()) {
    return false;
  }
  if (host.starts_with("*.")) {
    host.erase(0, 1);
  }
  if (host.starts_with('.')) {
    return url.host.ends_with(host);
  }
  return !host.empty() && (url.host == host || (!address_bytes(host) && url.host.ends_with("." + host)));
}

}  // namespace

ProxyRules ProxyRules::from_environment(const io::Environment& environment) {
  ProxyRules rules;
  // Inside a CGI program HTTP_PROXY is what a request's "Proxy:" header said.
  rules.http = environment.get("REQUEST_METHOD") ? std::string() : as_url(either_case(environment, "HTTP_PROXY"));
  rules.https = as_url(either_case(environment, "HTTPS_PROXY"));
  const auto excepted = either_case(environment, "NO_PROXY");
  for (const auto entry : base::split(excepted, ',')) {
    if (!base::trim(entry).empty()) {
      rules.excepted.push_back(base::to_lower(base::trim(entry)));
    }
  }
  return rules;
}

std::string ProxyRules::proxy_for(const base::Url& url) const {
  const auto& proxy = url.scheme == "https" ? https : http;
  const bool is_direct = proxy.empty() || base::is_loopback_host(url.host) ||
                         std::ranges::any_of(excepted, [&](const auto& entry) { return excepts(entry, url); });
  return is_direct ? std::string() : proxy;
}

}  // namespace deployctl::http
