// The keys and signatures were made with `openssl genpkey` and `openssl pkeyutl -sign` (-rawin -digest sha256).
#include "core/oci/public_key.hpp"

#include "core/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::oci {
namespace {

struct KeyRow {
  std::string kind;
  std::string pem;
  std::string signature;  // of "signed", in base64
};

const KeyRow rows[] = {
    {"ECDSA",
     "-----BEGIN PUBLIC KEY-----\n"
     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMCsdz3Aq9Scmv+oeh84IPY6v7esD\n"
     "y+RPw3WC4RrmjOmysci+WzuTlh613SWlb9uFIv1jaRlFrbnB66iYAWqHCQ==\n"
     "-----END PUBLIC KEY-----\n",
     "MEYCIQDGzf5VWQvS3S0UIpzN7L+DT0SxQwPqQKuPXoi4LmfdHQIhAJ+0oO7L4m1hrIPhXuR3M68/3UYzRnVD55T6PmdXfAtl"},
    {"ECDSA of another",
     "-----BEGIN PUBLIC KEY-----\n"
     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAET57IK0yojhG9YV5oKpZqxXvl3GXl\n"
     "JmXiIex/6nKYCR2bZf29G5ja8xZuqZMAuAjCfBndBTnd3L0+Nak87Xe2gA==\n"
     "-----END PUBLIC KEY-----\n",
     "MEYCIQC1+OTvVvnGhS9vJyXzhw8xZ4cFVQmZZ5hrZOw2RfIW5gIhAOwFFqmi6KvVVadIs5aeWO8HbJxkvgb8z9E9s0/Wt7Ko"},
    {"RSA",
     "-----BEGIN PUBLIC KEY-----\n"
     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAssFAMj3VWVRTA1BfyOsm\n"
     "LopFzSSNOVC87gnq+dtnnrjwNfjCXsLT/kET8G/ol2qRGiX3ZAAwR5m7Usd6+UAF\n"
     "3eHp+pH36X8uGb8cztQPPbWwMU45NG3H2lr2DIhjkx6CfX7ehYnT3hWRGoewQIkr\n"
     "w5Qwh4jPLshOjHVQfwALb2xWmUvuPebcNWS53RG0lwKlYnQOn9cUAnIdkzuI+5EY\n"
     "FKtGTWb9R0I4yCvaHdLB4Y+m6nRmIL9S7E4rMJEGePoxYg2giR/co4kRswACz4It\n"
     "plgL5A2ujearguzqTggMfF2n+Vxh1zoEAjROGRQHJxb75lwmpdy4pKXPcXYUqS5l\n"
     "0wIDAQAB\n"
     "-----END PUBLIC KEY-----\n",
     "FKrtT6TCEOvDq2Q+nz6ltHhQR8H/GMGCVXvLwLArgP9LJotdl4VFWl5xhYBplfQkkBeCLyoypnzIUHQWrFyMdq5oGROondxoDmKO"
     "NvpAsRaGyYi0bJbfjmkX2wA84kMb2tfY3O+/3PaQJMdSmpE00xguSn4sOzdt+JcKy3/WQ80RQmdj3KT8y6pbm5DtOf6Xc98cJH6E"
     "6J4PnZklBt2okEAGcQax6Tio5itYKdZoFFkHfeIDoPONXL51Rjx0jdWy/nYWlfFzCVHeZMg5hcejkIvSDLxajpFNBJdYpQT4I4Zk"
     "BRo14mHia/6F3T8an5Hy8+TtZF4/be7wWlvatIGX2Q=="},
    {"Ed25519",
     "-----BEGIN PUBLIC KEY-----\n"
     "MCowBQYDK2VwAyEAvDTI7BjhqgwXClptPhbmzYOiYxuXDjjz5nplamvEVqo=\n"
     "-----END PUBLIC KEY-----\n",
     "/wV6irkoyr2ghS6WMFUGUHaGFTfz61kes6Ozv33AwTSdDxGk6nKKB/8HzVF73Bugjufs/i/PzdWZI1B4viqKDw=="},
};

std::string signature_of(const KeyRow& row) {
  return *base::base64_decode(row.signature);
}

TEST(PublicKey, VerifiesWhatItsPrivateKeySigned) {
  for (const auto& row : rows) {
    const auto key = PublicKey::from_pem(row.pem);
    ASSERT_TRUE(key) << row.kind << ": " << base::to_string(key.error());
    EXPECT_TRUE(key->verifies("signed", signature_of(row))) << row.kind;
    EXPECT_FALSE(key->verifies("signed ", signature_of(row))) << row.kind;
    EXPECT_FALSE(key->verifies("signed", signature_of(row).substr(1))) << row.kind;
    EXPECT_FALSE(key->verifies("signed", "")) << row.kind;
  }
}

TEST(PublicKey, DoesNotVerifyWhatAnotherSigned) {
  const auto key = PublicKey::from_pem(rows[0].pem);
  ASSERT_TRUE(key);
  for (std::size_t i = 1; i < std::size(rows); ++i) {
    EXPECT_FALSE(key->verifies("signed", signature_of(rows[i]))) << rows[i].kind;
  }
}

TEST(PublicKey, IsNoOtherText) {
  for (const std::string text : {"", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                                 "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}) {
    const auto key = PublicKey::from_pem(text);
    ASSERT_FALSE(key) << text;
    EXPECT_THAT(key.error().message, ::testing::HasSubstr("it is no public key"));
  }
}

}  // namespace
}  // namespace deployctl::oci
