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

TEST(SensitiveFiles, ArePrivateKeysByTheirFirstLineWhateverTheirName) {
  for (const auto* name : {"server.key", "deploy", "a/server.txt"}) {
    EXPECT_TRUE(is_private_key(name, "-----BEGIN PRIVATE KEY-----\nMIIE")) << name;
    EXPECT_TRUE(is_private_key(name, "\xEF\xBB\xBF\r\n-----BEGIN OPENSSH PRIVATE KEY-----\r\n")) << name;
    EXPECT_TRUE(is_private_key(name, "PuTTY-User-Key-File-3: ssh-ed25519")) << name;
    EXPECT_FALSE(is_private_key(name, "-----BEGIN CERTIFICATE-----\nMIID")) << name;
    EXPECT_FALSE(is_private_key(name, "-----BEGIN PUBLIC KEY-----\nPRIVATE KEY")) << name;
    EXPECT_FALSE(is_private_key(name, "")) << name;
  }
}

TEST(SensitiveFiles, ArePrivateKeysBehindOtherTextWhereTheNameSaysSo) {
  const std::string bundle =
      "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\n";
  EXPECT_TRUE(is_private_key("tls/bundle.pem", bundle));
  EXPECT_FALSE(is_private_key("docs/tls.md", "A key begins so:\n" + bundle));
}

}  // namespace
}  // namespace deployctl::native
