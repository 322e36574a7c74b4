#include "core/oci/reference.hpp"

#include "core/oci/digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::oci {
namespace {

const std::string hex64(64, 'a');

TEST(Digest, IsAnAlgorithmAndTheRightNumberOfDigits) {
  EXPECT_TRUE(Digest::parse("sha256:" + hex64));
  EXPECT_TRUE(Digest::parse("sha512:" + hex64 + hex64));
  EXPECT_TRUE(Digest::parse("blake3+b64:Abc_-="));
  for (const auto& text : {std::string(), std::string("sha256"), "sha256:" + hex64.substr(1), "sha256:" + hex64 + "a",
                           "sha256:" + std::string(64, 'A'), "SHA256:" + hex64, ":" + hex64, "sha256+:" + hex64,
                           "sha256:" + std::string(64, 'g')}) {
    EXPECT_FALSE(Digest::parse(text)) << text;
  }
}

TEST(Digest, OfBytesIsTheirSha256) {
  EXPECT_EQ(Digest::of("").text(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Digest::of("abc").text(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Digest::of("abc").brief(), "ba7816bf8f01");
  Hasher hasher;
  hasher.add("a");
  hasher.add("");
  hasher.add("bc");
  EXPECT_EQ(hasher.digest(), Digest::of("abc"));
}

struct ReferenceRow {
  std::string text;
  std::string full;
  std::string familiar;
};

TEST(Reference, HasOneFullAndOneFamiliarForm) {
  const auto digest = "sha256:" + hex64;
  const ReferenceRow rows[] = {
      {"nginx", "docker.io/library/nginx", "nginx"},
      {"nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25"},
      {"docker.io/nginx", "docker.io/library/nginx", "nginx"},
      {"index.docker.io/library/nginx", "docker.io/library/nginx", "nginx"},
      {"registry-1.docker.io/ada/tool", "docker.io/ada/tool", "ada/tool"},
      {"ada/tool@" + digest, "docker.io/ada/tool@" + digest, "ada/tool@" + digest},
      {"library/a.b/c", "docker.io/library/a.b/c", "library/a.b/c"},
      {"docker.io/a.b/c", "docker.io/a.b/c", "docker.io/a.b/c"},
      {"localhost/api", "localhost/api", "localhost/api"},
      {"localhost:5000/shop/api:1", "localhost:5000/shop/api:1", "localhost:5000/shop/api:1"},
      {"127.0.0.1:5000/api:V1.2_x-y", "127.0.0.1:5000/api:V1.2_x-y", "127.0.0.1:5000/api:V1.2_x-y"},
      {"[::1]:5000/api", "[::1]:5000/api", "[::1]:5000/api"},
      {"GHCR.io/shop/api", "ghcr.io/shop/api", "ghcr.io/shop/api"},
      {"ghcr.io/a/b/c/d:t@" + digest, "ghcr.io/a/b/c/d:t@" + digest, "ghcr.io/a/b/c/d:t@" + digest},
      {"r.example/a.b/c_d/e__f/g---h", "r.example/a.b/c_d/e__f/g---h", "r.example/a.b/c_d/e__f/g---h"},
  };
  for (const auto& row : rows) {
    const auto reference = Reference::parse(row.text);
    ASSERT_TRUE(reference) << row.text << ": " << to_string(reference.error());
    EXPECT_EQ(to_string(*reference), row.full);
    EXPECT_EQ(to_familiar(*reference), row.familiar);
    EXPECT_EQ(*Reference::parse(row.full), *reference) << row.full;
  }
}

struct RefusedRow {
  std::string text;
  std::string reason;
};

TEST(Reference, SaysWhyATextIsNone) {
  const RefusedRow rows[] = {
      {"", "the repository is missing"},
      {"Shop/api", "the repository 'Shop/api' has upper-case letters"},
      {"shop//api",
       "'' is not a part of a repository: lower-case letters and digits, with '.', '_', '__' or '-' between them"},
      {"shop/api-",
       "'api-' is not a part of a repository: lower-case letters and digits, with '.', '_', '__' or '-' between them"},
      {"shop/a..b",
       "'a..b' is not a part of a repository: lower-case letters and digits, with '.', '_', '__' or '-' between them"},
      {"shop/a___b",
       "'a___b' is not a part of a repository: lower-case letters and digits, with '.', '_', '__' or '-' between them"},
      {"shop/api:", "the tag is missing"},
      {"shop/api:-x", "'-x' is not a tag: letters, digits, '_', '.' and '-', not starting with '.' or '-'"},
      {"shop/api:" + std::string(129, 'x'), "the tag is longer than 128 characters"},
      {"r.example:99999/api", "'99999' is not a port"},
      {"r..example/api", "'r..example' is not a host name"},
      {"r.example/" + std::string(250, 'x'), "the name is longer than 255 characters"},
      {"api@sha256:12", "'sha256:12' is not a digest such as sha256: and 64 hex digits"},
      {"api@md5:" + hex64.substr(32), "registries know images by sha256, not by md5"},
      {hex64, "it is an image id"},
      {"https://r.example/api", "it is a URL; leave out 'https://'"},
  };
  for (const auto& row : rows) {
    const auto reference = Reference::parse(row.text);
    ASSERT_FALSE(reference) << row.text;
    EXPECT_EQ(reference.error().code, base::ErrorCode::invalid_input);
    EXPECT_THAT(reference.error().message, ::testing::EndsWith("is not an image reference: " + row.reason));
  }
}

TEST(Reference, IsAskedForByDigestThenTagThenLatest) {
  const auto plain = *Reference::parse("r.example/api");
  EXPECT_EQ(plain.identifier(), "latest");
  EXPECT_EQ(plain.with_tag("1").identifier(), "1");
  EXPECT_EQ(plain.with_tag("1").with_digest(Digest::of("x")).identifier(), Digest::of("x").text());
  EXPECT_EQ(to_string(plain.with_tag("1").with_digest(Digest::of("x"))), "r.example/api:1@" + Digest::of("x").text());
}

}  // namespace
}  // namespace deployctl::oci
