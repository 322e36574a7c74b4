#include "core/http/proxy.hpp"

#include "tests/support/variables.hpp"

#include <gtest/gtest.h>

#include <map>

namespace deployctl::http {
namespace {

std::string proxy_for(std::map<std::string, std::string> variables, const std::string& url) {
  return ProxyRules::from_environment(tests::Variables(std::move(variables))).proxy_for(*base::Url::parse(url));
}

TEST(ProxyRules, FollowTheSchemeAndEitherCase) {
  EXPECT_EQ(proxy_for({{"HTTP_PROXY", "http://p:1"}}, "http://a.example/"), "http://p:1");
  EXPECT_EQ(proxy_for({{"http_proxy", "p:1"}}, "http://a.example/"), "http://p:1");
  EXPECT_EQ(proxy_for({{"HTTP_PROXY", "http://p:1"}}, "https://a.example/"), "");
  EXPECT_EQ(proxy_for({{"HTTPS_PROXY", "http://p:2"}, {"https_proxy", "http://q:3"}}, "https://a.example/"),
            "http://p:2");
}

TEST(ProxyRules, AreNotTakenFromARequestInsideACgiProgram) {
  EXPECT_EQ(proxy_for({{"HTTP_PROXY", "http://p:1"}, {"REQUEST_METHOD", "GET"}}, "http://a.example/"), "");
}

TEST(ProxyRules, LeaveLoopbackAddressesDirect) {
  for (const auto* url : {"http://localhost:5000/", "http://127.0.0.1/", "http://127.8.9.1/", "http://[::1]:80/"}) {
    EXPECT_EQ(proxy_for({{"HTTP_PROXY", "http://p:1"}}, url), "") << url;
  }
}

struct ExceptionRow {
  std::string no_proxy;
  std::string url;
  bool is_direct;
};

TEST(ProxyRules, LeaveOutWhatNoProxyNames) {
  const ExceptionRow rows[] = {
      {"*", "http://a.example/", true},
      {"a.example", "http://a.example/", true},
      {"A.Example", "http://a.example:8080/", true},
      {"a.example", "http://b.a.example/", true},
      {"a.example", "http://ba.example/", false},
      {".a.example", "http://b.a.example/", true},
      {".a.example", "http://a.example/", false},
      {"*.a.example", "http://b.a.example/", true},
      {"a.example:8080", "http://a.example:8080/", true},
      {"a.example:8080", "http://a.example/", false},
      {"a.example:80", "http://a.example/", true},
      {"10.0.0.0/8", "http://10.20.30.40/", true},
      {"10.0.0.0/8", "http://11.20.30.40/", false},
      {"192.168.4.0/22", "http://192.168.7.255:5000/", true},
      {"192.168.4.0/22", "http://192.168.8.0/", false},
      {"fd00::/8", "http://[fd12::1]/", true},
      {"10.1.2.3", "http://10.1.2.3:5000/", true},
      {"10.1.2.3", "http://10.1.2.30/", false},
      {"10.0.0.0/99", "http://10.0.0.1/", false},
      {"x, ,  a.example ", "http://a.example/", true},
      {"", "http://a.example/", false},
  };
  for (const auto& row : rows) {
    const auto proxy = proxy_for({{"HTTP_PROXY", "http://p:1"}, {"NO_PROXY", row.no_proxy}}, row.url);
    EXPECT_EQ(proxy.empty(), row.is_direct) << row.no_proxy << " " << row.url;
  }
}

}  // namespace
}  // namespace deployctl::http
