#include "core/oci/gzip.hpp"

#include "core/oci/digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace deployctl::oci {
namespace {

std::string sample(std::size_t size) {
  std::minstd_rand generator(7);
  std::string bytes;
  while (bytes.size() < size) {
    bytes += "line " + std::to_string(generator() % 1000) + "\n";
  }
  bytes.resize(size);
  return bytes;
}

std::string compressed(std::string_view bytes, std::size_t piece) {
  std::string out;
  auto writer = GzipWriter::make([&](std::string_view part) {
    out += part;
    return base::Status();
  });
  EXPECT_TRUE(writer);
  while (!bytes.empty()) {
    EXPECT_TRUE(writer->add(bytes.substr(0, piece)));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  EXPECT_TRUE(writer->finish());
  return out;
}

base::Result<std::string> expanded(std::string_view bytes, std::size_t piece) {
  std::string out;
  auto reader = GzipReader::make([&](std::string_view part) {
    out += part;
    return base::Status();
  });
  while (!bytes.empty()) {
    if (const auto done = reader->add(bytes.substr(0, piece)); !done) {
      return done.error();
    }
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  const auto done = reader->finish();
  return done ? base::Result<std::string>(out) : done.error();
}

TEST(Gzip, ComesBackAsItWas) {
  for (const std::size_t size : {0u, 1u, 1000u, 262144u, 3000000u}) {
    const auto bytes = sample(size);
    const auto back = expanded(compressed(bytes, 65536), 1000);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, bytes) << size;
  }
}

TEST(Gzip, DoesNotDependOnHowItsInputIsCut) {
  const auto bytes = sample(1'000'000);
  EXPECT_EQ(compressed(bytes, 1'000'000), compressed(bytes, 777));
}

// Registries have layers under the digests of these bytes: a library that writes others sends every layer once more
// (docs/decisions/0010-layer-compressor.md).
TEST(Gzip, IsTheSameBytesOnEveryProcessor) {
  EXPECT_EQ(Digest::of(compressed(sample(5'000'000), 65536)).text(),
            "sha256:55a61054d31c47ac1328bffeccaf94db5adb2993cd1cc4e8abc4b649fb49ac02");
}

TEST(Gzip, HasNeitherNameNorTimeInItsHeader) {
  const auto bytes = compressed("x", 1);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00", 8));
}

TEST(Gzip, OfSeveralMembersIsReadAsOne) {
  const auto back = expanded(compressed("one", 3) + compressed("two", 3), 5);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, "onetwo");
}

TEST(Gzip, SaysWhenItIsDamagedOrCut) {
  auto bytes = compressed(sample(100'000), 100'000);
  EXPECT_EQ(expanded(bytes.substr(0, bytes.size() / 2), 4096).error().message, "the compressed data ends early");
  bytes[bytes.size() - 6] = static_cast<char>(bytes[bytes.size() - 6] ^ 1);
  EXPECT_EQ(expanded(bytes, 4096).error().message, "the compressed data is damaged");
  EXPECT_FALSE(expanded("this is no gzip at all", 100));
}

}  // namespace
}  // namespace deployctl::oci
