#include "core/base/url.hpp"

#include <gtest/gtest.h>

namespace deployctl::base {
namespace {

TEST(Url, goes_both_ways) {
  for (const auto* text : {"https://example.com", "http://127.0.0.1:5000/v2/?n=1&m=", "https://[::1]:6443/api?",
                           "https://user:pa%40ss@host/a//b/./c", "http://host?q", "unix+http://h/x"}) {
    const auto url = Url::parse(text);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(to_string(*url), text);
  }
}

TEST(Url, is_split_into_its_parts) {
  const auto url = Url::parse("HTTPS://u:p@Registry.Example.COM:8443/v2/x?a=b#fragment");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->userinfo, "u:p");
  EXPECT_EQ(url->host, "registry.example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/v2/x");
  EXPECT_EQ(url->query, "a=b");
  EXPECT_EQ(url->authority(), "registry.example.com:8443");
  EXPECT_EQ(to_display(*url), "https://registry.example.com:8443/v2/x");
  EXPECT_EQ(Url::parse("http://h")->effective_port(), 80);
  EXPECT_EQ(Url::parse("https://h")->effective_port(), 443);
}

TEST(Url, refuses_what_is_none_in_words) {
  struct Row {
    std::string_view text, reason;
  };
  const Row rows[] = {
      {"example.com/x", "it does not start with a scheme such as https://"},
      {"://x", "it does not start with a scheme such as https://"},
      {"http://", "the host is missing"},
      {"http:///x", "the host is missing"},
      {"http://:80", "the host is missing"},
      {"http://[]/", "in the brackets stands no IPv6 address"},
      {"http://[[0]", "in the brackets stands no IPv6 address"},
      {"http://a[::1]", "'a[' is not a host"},
      {"http://h:0", "'0' is not a port"},
      {"http://h:65536", "'65536' is not a port"},
      {"http://h:-1", "'-1' is not a port"},
      {"http://a:b:c", "'b:c' is not a port"},
      {"http://[::1", "the address in brackets has no end"},
      {"http://[::1]x", "after the address in brackets only a port may stand"},
      {"http://a b", "it holds a space or control character"},
      {"http://a\\b", "it holds a space or control character"},
  };
  for (const auto& row : rows) {
    const auto url = Url::parse(row.text);
    ASSERT_FALSE(url) << row.text;
    EXPECT_EQ(url.error().message, fmt::format("'{}' is not a URL: {}", row.text, row.reason));
  }
}

TEST(Url, never_shows_a_password_in_its_complaint) {
  const auto url = Url::parse("https://user:hunter2@host:99999/");
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().message.find("hunter2"), std::string::npos) << url.error().message;
}

// RFC 3986 section 5.4, but for references with a fragment, which is never sent.
TEST(Resolve, follows_the_examples_of_the_rfc) {
  const auto base_url = Url::parse("http://a/b/c/d;p?q");
  ASSERT_TRUE(base_url);
  struct Row {
    std::string_view reference, resolved;
  };
  const Row rows[] = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {";x", "http://a/b/c/;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"https://other:1/x", "https://other:1/x"},
      {"#s", "http://a/b/c/d;p?q"},
  };
  for (const auto& row : rows) {
    const auto resolved = base_url->resolve(row.reference);
    ASSERT_TRUE(resolved) << row.reference;
    EXPECT_EQ(to_string(*resolved), row.resolved) << row.reference;
  }
  EXPECT_EQ(to_string(*Url::parse("http://a")->resolve("g")), "http://a/g");
  EXPECT_FALSE(base_url->resolve("a b"));
}

TEST(Resolve, does_not_carry_credentials_to_another_authority) {
  const auto from = Url::parse("https://u:p@a/x");
  EXPECT_EQ(from->resolve("//b/y")->userinfo, "");
  EXPECT_EQ(from->resolve("http://b/y")->userinfo, "");
}

TEST(Resolve, takes_a_url_inside_a_query_for_no_scheme) {
  const auto resolved = Url::parse("http://a/b")->resolve("/c?to=https://x/");
  ASSERT_TRUE(resolved);
  EXPECT_EQ(to_string(*resolved), "http://a/c?to=https://x/");
}

TEST(WithQuery, encodes_and_appends) {
  const auto url = Url::parse("http://a/b");
  EXPECT_EQ(to_string(url->with_query("scope", "a b&c")), "http://a/b?scope=a%20b%26c");
  EXPECT_EQ(to_string(url->with_query("x", "1").with_query("y", "镜")), "http://a/b?x=1&y=%E9%95%9C");
  EXPECT_EQ(to_string(Url::parse("http://a?")->with_query("x", "1")), "http://a?x=1");
}

TEST(SameOrigin, compares_scheme_host_and_effective_port) {
  const auto same = [](std::string_view left, std::string_view right) {
    return Url::parse(left)->same_origin(*Url::parse(right));
  };
  EXPECT_TRUE(same("https://A/x", "https://a:443/y"));
  EXPECT_FALSE(same("https://a", "http://a"));
  EXPECT_FALSE(same("https://a", "https://a:8443"));
  EXPECT_FALSE(same("https://a", "https://b"));
}

TEST(PercentCoding, goes_both_ways) {
  EXPECT_EQ(percent_encode("a-._~Z9/ %\xFF"), "a-._~Z9%2F%20%25%FF");
  EXPECT_EQ(percent_decode("a%2Fb%20%e9%95%9C"), "a/b 镜");
  EXPECT_EQ(percent_decode("%"), "%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
}

TEST(LoopbackHost, is_this_machine_only) {
  for (const auto* host : {"localhost", "a.localhost", "127.0.0.1", "127.255.0.3", "::1"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const auto* host : {"example.com", "128.0.0.1", "127.0.0.1.example.com", "127.0.0.256", "localhost.example.com",
                           "127.1.2", "::2", "", "127.0.0.-1"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace deployctl::base
