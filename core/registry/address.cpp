#include "core/registry/address.hpp"

#include "core/base/url.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>

namespace deployctl::registry {
namespace {

using V4 = std::array<unsigned char, 4>;
using V6 = std::array<unsigned char, 16>;

Place place_of_v4(const V4& a) {
  if (a[0] == 127 || a[0] == 0) {  // 0.0.0.0 reaches this machine
    return Place::loopback;
  }
  if (a[0] == 169 && a[1] == 254) {
    return Place::link_local;
  }
  const bool is_private = a[0] == 10 || (a[0] == 172 && (a[1] & 0xF0U) == 16) || (a[0] == 192 && a[1] == 168);
  return is_private ? Place::private_network : Place::elsewhere;
}

bool is_mapped_v4(const V6& a) {
  return std::all_of(a.begin(), a.begin() + 10, [](unsigned char byte) { return byte == 0; }) && a[10] == 0xFF &&
         a[11] == 0xFF;
}

Place place_of_v6(const V6& a) {
  if (is_mapped_v4(a)) {
    return place_of_v4({a[12], a[13], a[14], a[15]});
  }
  if (std::all_of(a.begin(), a.end() - 1, [](unsigned char byte) { return byte == 0; })) {
    return Place::loopback;  // :: and ::1
  }
  if (a[0] == 0xFE && (a[1] & 0xC0U) == 0x80) {
    return Place::link_local;
  }
  return (a[0] & 0xFEU) == 0xFC ? Place::private_network : Place::elsewhere;
}

}  // namespace

Place place_of(const std::string& host) {
  if (base::is_loopback_host(host)) {
    return Place::loopback;
  }
  V6 v6{};
  if (inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), v6.data()) == 1) {
    return place_of_v6(v6);
  }
  in_addr address{};
  if (inet_aton(host.c_str(), &address) == 0) {
    return Place::elsewhere;
  }
  V4 v4{};
  std::memcpy(v4.data(), &address, v4.size());
  return place_of_v4(v4);
}

}  // namespace deployctl::registry
