#include "core/registry/trust.hpp"

#include "tests/support/memory_file_system.hpp"
#include "tests/support/variables.hpp"

#include <gtest/gtest.h>

namespace deployctl::registry {
namespace {

using tests::Files;
using tests::MemoryFileSystem;
using tests::Variables;

const std::string in_home = "/home/ada/.config/containers/certs.d/r.example:5000/";
const std::string in_docker = "/etc/docker/certs.d/r.example:5000/";

std::shared_ptr<const http::TlsSettings> settings(Files files,
                                                  const std::map<std::string, std::string>& variables = {}) {
  const auto found = tls_settings("r.example:5000", {}, MemoryFileSystem(std::move(files)), Variables(variables));
  EXPECT_TRUE(found) << to_string(found.error());
  return found ? *found : nullptr;
}

TEST(Trust, IsTheSystemsWhenNothingIsLaidDownForTheRegistry) {
  EXPECT_EQ(settings({}), nullptr);
  EXPECT_EQ(settings({{"/etc/docker/certs.d/other.example/ca.crt", "CA"}}), nullptr);
}

TEST(Trust, IsInTheFirstFolderThatIsThere) {
  EXPECT_EQ(settings({{in_docker + "ca.crt", "DOCKER"}})->ca_pem, "DOCKER\n");
  EXPECT_EQ(settings({{in_docker + "ca.crt", "DOCKER"}, {in_home + "ca.crt", "MINE"}})->ca_pem, "MINE\n");
  EXPECT_EQ(settings({{"/cfg/containers/certs.d/r.example:5000/a.crt", "A"}}, {{"XDG_CONFIG_HOME", "/cfg"}})->ca_pem,
            "A\n");
}

TEST(Trust, TakesAllAuthoritiesAndTheFirstClient) {
  const auto found = settings({{in_home + "a.crt", "A"},
                               {in_home + "b.crt", "B"},
                               {in_home + "me.cert", "ME"},
                               {in_home + "me.key", "KEY"},
                               {in_home + "you.cert", "YOU"},
                               {in_home + "README", "x"}});
  EXPECT_EQ(found->ca_pem, "A\nB\n");
  EXPECT_EQ(found->client_certificate_pem, "ME");
  EXPECT_EQ(found->client_key_pem.reveal(), "KEY");
  EXPECT_TRUE(found->verify);
}

TEST(Trust, HasTheSystemsAuthoritiesBesideThoseLaidDown) {
  const std::string debian = "/etc/ssl/certs/ca-certificates.crt";
  EXPECT_EQ(settings({{in_home + "a.crt", "A"}, {debian, "SYSTEM"}})->ca_pem, "A\nSYSTEM\n");
  EXPECT_EQ(
      settings({{in_home + "a.crt", "A"}, {debian, "SYSTEM"}, {"/mine.pem", "MINE"}}, {{"SSL_CERT_FILE", "/mine.pem"}})
          ->ca_pem,
      "A\nMINE\n");
  EXPECT_EQ(settings({{in_home + "me.cert", "ME"}, {in_home + "me.key", "KEY"}, {debian, "SYSTEM"}})->ca_pem, "")
      << "the system's by themselves";
}

TEST(Trust, IsInTheFileThatTheEnvironmentNames) {
  const std::map<std::string, std::string> variables{{"SSL_CERT_FILE", "/mine.pem"}};
  EXPECT_EQ(settings({{"/mine.pem", "MINE"}}, variables)->ca_pem, "MINE\n");
  EXPECT_EQ(
      settings({{"/mine.pem", "MINE"}, {in_home + "me.cert", "ME"}, {in_home + "me.key", "KEY"}}, variables)->ca_pem,
      "MINE\n");
}

TEST(Trust, NamesAKeyThatIsMissing) {
  const auto found = tls_settings("r.example:5000", {}, MemoryFileSystem({{in_home + "me.cert", "ME"}}), Variables());
  ASSERT_FALSE(found);
  EXPECT_EQ(to_string(found.error()),
            "reading the certificates for r.example:5000: there is no '" + in_home + "me.key'");
}

TEST(Trust, TakesTheProjectsAuthoritiesInPlaceOfThoseThatLieReady) {
  const MemoryFileSystem files({{in_home + "a.crt", "A"},
                                {in_home + "me.cert", "ME"},
                                {in_home + "me.key", "KEY"},
                                {"/etc/ssl/certs/ca-certificates.crt", "SYSTEM"},
                                {"/project/ca.pem", "OURS"}});
  const auto settings_of = [&](const std::string& host) {
    const auto found = tls_settings("r.example:5000", {{.host = host, .ca = "/project/ca.pem"}}, files, Variables());
    EXPECT_TRUE(found);
    return **found;
  };
  EXPECT_EQ(settings_of("r.example:5000").ca_pem, "OURS\nSYSTEM\n");
  EXPECT_EQ(settings_of("r.example").ca_pem, "OURS\nSYSTEM\n");
  EXPECT_EQ(settings_of("r.example").client_certificate_pem, "ME");
  EXPECT_EQ(settings_of("r.example:6000").ca_pem, "A\nSYSTEM\n");
}

TEST(InsecureRegistries, AreThoseTheUserNames) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(insecure_registries({}, Variables()), Names());
  const std::map<std::string, std::string> variables{{"DEPLOYCTL_INSECURE_REGISTRIES", " r.example:5000,lab , "}};
  EXPECT_EQ(insecure_registries({}, Variables(variables)), Names({"r.example:5000", "lab"}));
  EXPECT_EQ(insecure_registries({{.host = "a", .is_insecure = true}, {.host = "b", .ca = "x"}}, Variables(variables)),
            Names({"a", "r.example:5000", "lab"}));
}

TEST(InsecureRegistries, WithoutAPortCoverTheUsualOnes) {
  const auto covers = [](const std::string& name, const std::string& registry) {
    return names_registry({"other.example", name}, *base::Url::parse("https://" + registry));
  };
  EXPECT_TRUE(covers("r.example", "r.example"));
  EXPECT_TRUE(covers("R.example", "r.example:443"));
  EXPECT_TRUE(covers("r.example", "r.example:80"));
  EXPECT_TRUE(covers("r.example:443", "r.example"));
  EXPECT_TRUE(covers("r.example:5000", "r.example:5000"));
  EXPECT_TRUE(covers("[::1]:5000", "[::1]:5000"));
  EXPECT_FALSE(covers("r.example", "r.example:5000"));
  EXPECT_FALSE(covers("r.example:5000", "r.example"));
  EXPECT_FALSE(covers("r.example:5000", "r.example:5001"));
  EXPECT_FALSE(covers("example", "r.example"));
  EXPECT_FALSE(covers("not a host", "r.example"));
}

}  // namespace
}  // namespace deployctl::registry
