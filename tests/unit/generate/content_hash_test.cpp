#include "core/generate/content_hash.hpp"

#include <gtest/gtest.h>

namespace deployctl::generate {
namespace {

// FIPS 180-4 examples and `sha256sum` of texts around the block size.
TEST(ContentHash, IsTheBeginningOfSha256) {
  EXPECT_EQ(content_hash(""), "e3b0c442");
  EXPECT_EQ(content_hash("abc"), "ba7816bf");
  EXPECT_EQ(content_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61");
  EXPECT_EQ(content_hash(std::string(55, 'a')), "9f4390f8");
  EXPECT_EQ(content_hash(std::string(56, 'a')), "b35439a4");
  EXPECT_EQ(content_hash(std::string(64, 'a')), "ffe054fe");
  EXPECT_EQ(content_hash(std::string(1'000'000, 'a')), "cdc76e5c");
}

}  // namespace
}  // namespace deployctl::generate
