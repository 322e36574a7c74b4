#include "core/registry/challenge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::registry {
namespace {

std::string shown(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const auto& challenge : challenges) {
    text += (text.empty() ? "" : " | ") + challenge.scheme;
    for (const auto& [name, value] : challenge.parameters) {
      text += " " + name + "=" + value;
    }
  }
  return text;
}

TEST(Challenges, AreReadFromAnyNumberOfFields) {
  const std::pair<std::string, std::string> rows[] = {
      {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")",
       "bearer realm=https://auth.docker.io/token scope=repository:a/b:pull,push service=registry.docker.io"},
      {R"(BASIC Realm="a \"quoted\" realm")", R"(basic realm=a "quoted" realm)"},
      {R"(Basic realm=plain)", "basic realm=plain"},
      {R"(Negotiate, Basic realm="x", Bearer realm="y" , service = "z")",
       "negotiate | basic realm=x | bearer realm=y service=z"},
      {R"(Negotiate)", "negotiate"},
      {R"(Bearer realm="unclosed)", "bearer realm=unclosed"},
      {R"(realm="nobody's")", ""},
      {R"(,, ;; Bearer realm="x")", "bearer realm=x"},
      {"", ""},
  };
  for (const auto& [field, expected] : rows) {
    EXPECT_EQ(shown(challenges({{"WWW-Authenticate", field}})), expected) << field;
  }
  EXPECT_EQ(shown(challenges({{"WWW-Authenticate", "Basic realm=a"}, {"www-authenticate", "Bearer realm=b"}})),
            "basic realm=a | bearer realm=b");
}

TEST(Challenges, AreAnsweredWithATokenRatherThanAPassword) {
  EXPECT_EQ(answerable({{"negotiate", {}}, {"basic", {}}, {"bearer", {}}})->scheme, "bearer");
  EXPECT_EQ(answerable({{"digest", {}}, {"basic", {}}})->scheme, "basic");
  EXPECT_EQ(answerable({{"negotiate", {}}}), std::nullopt);
}

}  // namespace
}  // namespace deployctl::registry
