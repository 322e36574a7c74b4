// What kind of place a host is that is written as a number. Who names it may be hostile: a registry could make us ask
// services inside this machine or its network.
#pragma once

#include <string>

namespace deployctl::registry {

enum class Place {
  elsewhere,        // also every name but localhost: names are not looked up
  loopback,         // this machine
  link_local,       // 169.254.0.0/16, fe80::/10: the metadata services of clouds, and nothing that keeps blobs
  private_network,  // 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7
};

// In every form that a resolver takes for an address: "127.1", "0x7f000001", "2130706433", "::ffff:127.0.0.1".
Place place_of(const std::string& host);

}  // namespace deployctl::registry
