#include "core/registry/address.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace deployctl::registry {
namespace {

TEST(Address, IsTakenForWhatAResolverTakesItFor) {
  const std::vector<std::pair<Place, std::vector<std::string>>> rows{
      {Place::loopback,
       {"localhost", "registry.localhost", "127.0.0.1", "127.8.9.1", "127.1", "2130706433", "0x7f000001",
        "017700000001", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"}},
      {Place::link_local,
       {"169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "fe80::1", "fe80::1%eth0",
        "::ffff:169.254.169.254"}},
      {Place::private_network,
       {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "::ffff:10.0.0.1"}},
      {Place::elsewhere,
       {"registry.example.com", "8.8.8.8", "172.32.0.1", "192.169.0.1", "2001:db8::1", "10.example.com", "", "cafe"}},
  };
  for (const auto& [place, hosts] : rows) {
    for (const auto& host : hosts) {
      EXPECT_EQ(static_cast<int>(place_of(host)), static_cast<int>(place)) << host;
    }
  }
}

}  // namespace
}  // namespace deployctl::registry
