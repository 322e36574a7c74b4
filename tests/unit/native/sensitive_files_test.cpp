#include "core/native/sensitive_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::native {
namespace {

TEST(SensitiveFiles, AreKnownByTheirNames) {
  for (const auto* path : {".env", "web/.env", "web/.env.production", "root/.ssh/id_ed25519", ".npmrc",
                           "home/.aws/credentials", ".docker/config.json", "src/.git", "a/kubeconfig"}) {
    EXPECT_NE(sensitive_kind(path), "") << path;
  }
  for (const auto* path : {"env", "app.env", ".env.example", "src/environment", "credentials", "config.json",
                           "id_rsa.pub", ".gitignore", "docs/kubeconfig.md"}) {
    EXPECT_EQ(sensitive_kind(path), "") << path;
  }
}

TEST(SensitiveFiles, ArePrivateKeysByTheirFirstLine) {
  EXPECT_TRUE(looks_like_private_key("-----BEGIN PRIVATE KEY-----\nMIIE"));
  EXPECT_TRUE(looks_like_private_key("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
  EXPECT_TRUE(looks_like_private_key("comment\n-----BEGIN RSA PRIVATE KEY-----\n"));
  EXPECT_TRUE(looks_like_private_key("PuTTY-User-Key-File-3: ssh-ed25519"));
  EXPECT_FALSE(looks_like_private_key("-----BEGIN CERTIFICATE-----\nMIID"));
  EXPECT_FALSE(looks_like_private_key("-----BEGIN PUBLIC KEY-----\nPRIVATE KEY"));
  EXPECT_FALSE(looks_like_private_key(""));
}

}  // namespace
}  // namespace deployctl::native
