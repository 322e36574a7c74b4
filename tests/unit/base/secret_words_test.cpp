#include "core/base/secret_words.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace deployctl::base {
namespace {

TEST(SoundsSecret, ByPartsOfTheName) {
  for (const auto* name : {"DB_PASSWORD", "npm_token", "AWS_SECRET_ACCESS_KEY", "credentials"}) {
    EXPECT_TRUE(sounds_secret(name)) << name;
  }
  for (const auto* name : {"", "VERSION", "KEYBOARD"}) {
    EXPECT_FALSE(sounds_secret(name)) << name;
  }
}

TEST(WithoutSecrets, BlanksWhatMayBeOneAndKeepsTheRest) {
  const std::pair<std::string, std::string> rows[] = {
      {"", ""},
      {"pass is not initialized: exit status 1\n", "pass is not initialized: exit status 1"},
      {"no such host 123456789012.dkr.ecr.us-east-1.amazonaws.com",
       "no such host 123456789012.dkr.ecr.us-east-1.amazonaws.com"},
      {"gpg: /home/ada/.gnupg/pubring.kbx: keyblock resource", "gpg: /home/ada/.gnupg/pubring.kbx: keyblock resource"},
      {"the token has expired", "the token has expired"},
      {"password=s3cret", "password=***"},
      {"Token: s3cret\nbye", "Token: *** bye"},
      {"Authorization: Bearer s3cret", "Authorization: Bearer ***"},
      {"GET https://ada:s3cret@host/x?sig=s3cret: 403", "GET https://***@host/x?*** 403"},
      {"GET https://host/a@b", "GET https://host/a@b"},
      {R"({"Username":"ada","Secret":"s3cret"})", "***"},
      {R"("Secret": "s3cret",)", "*** ***"},
      {"got dGhpcyBpcyBhIHNlY3JldCB0b2tlbjEyMw== back", "got *** back"},
      {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "***"},
  };
  for (const auto& [printed, expected] : rows) {
    EXPECT_EQ(without_secrets(printed), expected) << printed;
  }
}

}  // namespace
}  // namespace deployctl::base
