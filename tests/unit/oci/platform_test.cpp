#include "core/oci/platform.hpp"

#include <gtest/gtest.h>

namespace deployctl::oci {
namespace {

TEST(Platform, IsReadAndWritten) {
  for (const auto* const text : {"linux/amd64", "linux/arm/v7", "windows/amd64"}) {
    const auto platform = parse_platform(text);
    ASSERT_TRUE(platform) << text;
    EXPECT_EQ(to_string(*platform), text);
  }
  for (const auto* const text : {"", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux//v7"}) {
    EXPECT_FALSE(parse_platform(text)) << text;
  }
  EXPECT_EQ(parse_platform("arm").error().message, "'arm' is no platform: write linux/amd64 or linux/arm/v7");
}

TEST(Platform, IsForWhatIsAskedFor) {
  const auto fits = [](std::string_view wanted, std::string_view has) {
    return is_for(*parse_platform(wanted), *parse_platform(has));
  };
  EXPECT_TRUE(fits("linux/amd64", "linux/amd64"));
  EXPECT_FALSE(fits("linux/amd64", "linux/arm64"));
  EXPECT_FALSE(fits("linux/amd64", "windows/amd64"));
  EXPECT_TRUE(fits("linux/arm", "linux/arm/v7"));
  EXPECT_FALSE(fits("linux/arm/v6", "linux/arm/v7"));
  EXPECT_TRUE(fits("linux/arm64/v8", "linux/arm64"));
  EXPECT_TRUE(fits("linux/arm64", "linux/arm64/v8"));
}

}  // namespace
}  // namespace deployctl::oci
