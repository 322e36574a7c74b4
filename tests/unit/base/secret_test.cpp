#include "core/base/secret.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace deployctl::base {
namespace {

TEST(Secret, prints_as_stars_everywhere) {
  const Secret secret("hunter2");
  std::ostringstream out;
  out << secret;
  EXPECT_EQ(out.str(), "***");
  EXPECT_EQ(fmt::format("[{}] [{:>5}]", secret, secret), "[***] [  ***]");
  EXPECT_EQ(secret.reveal(), "hunter2");
}

}  // namespace
}  // namespace deployctl::base
