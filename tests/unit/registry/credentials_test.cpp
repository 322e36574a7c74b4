#include "core/registry/credentials.hpp"

#include "core/base/text.hpp"
#include "tests/support/memory_file_system.hpp"
#include "tests/support/variables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A credential helper that answers what it was told to.
class Helper final : public io::ProcessRunner {
 public:
  base::Result<io::ExitStatus> run(const io::Command& command, const io::OutputSink& sink, std::stop_token) override {
    seen = command;
    if (is_missing) {
      return base::Error::not_found("there is no program {}", command.argv[0]);
    }
    sink(io::Stream::out, out);
    sink(io::Stream::err, err);
    return io::ExitStatus{.code = code, .signal = 0};
  }

  io::Command seen;
  bool is_missing = false;
  std::string out;
  std::string err;
  int code = 0;
};

std::string auth(const std::string& text) {
  return R"({"auth":")" + base::base64_encode(text) + R"("})";
}

class CredentialsTest : public ::testing::Test {
 protected:
  base::Result<CredentialLookup> find(const std::string& registry, const std::string& repository = "shop/api") {
    return UserCredentials(files_, environment_, helper_).find(registry, repository, {});
  }
  // "user:password", "token:…" or "none".
  std::string found(const std::string& registry, const std::string& repository = "shop/api") {
    const auto lookup = find(registry, repository);
    if (!lookup) {
      return to_string(lookup.error());
    }
    if (!lookup->credentials) {
      return "none";
    }
    const auto& credentials = *lookup->credentials;
    return credentials.identity_token.empty() ? credentials.username + ":" + credentials.password.reveal()
                                              : "token:" + credentials.identity_token.reveal();
  }

  tests::MemoryFileSystem files_;
  tests::Variables environment_;
  Helper helper_;
};

constexpr auto docker_file = "/home/ada/.docker/config.json";

TEST_F(CredentialsTest, AreDecodedFromDockersFile) {
  files_.put(docker_file, R"({"auths":{"r.example:5000":)" + auth("ada:pass:word") + R"(,
    "https://index.docker.io/v1/":)" +
                              auth("hub:secret") + R"(,
    "https://old.example/v1/":)" +
                              auth(std::string("old:nul\0\0", 9)) + R"(,
    "token.example":{"auth":")" +
                              base::base64_encode("x:y") + R"(","identitytoken":"abc"},
    "empty.example":{}}})");
  EXPECT_EQ(found("r.example:5000"), "ada:pass:word");
  EXPECT_EQ(found("r.example"), "none");
  EXPECT_EQ(found("docker.io", "library/nginx"), "hub:secret");
  EXPECT_EQ(found("old.example"), "old:nul");
  EXPECT_EQ(found("token.example"), "token:abc");
  EXPECT_EQ(found("empty.example"), "none");
}

TEST_F(CredentialsTest, OfTheLongestMatchingPathWin) {
  files_.put("/home/ada/.config/containers/auth.json", R"({"auths":{"r.example":)" + auth("all:1") +
                                                           R"(,"r.example/shop":)" + auth("shop:2") +
                                                           R"(,"r.example/shop/api":)" + auth("api:3") + "}}");
  EXPECT_EQ(found("r.example", "shop/api"), "api:3");
  EXPECT_EQ(found("r.example", "shop/web"), "shop:2");
  EXPECT_EQ(found("r.example", "shopping/web"), "all:1");
}

TEST_F(CredentialsTest, AreLookedForInOrder) {
  environment_.values = {{"DOCKER_AUTH_CONFIG", R"({"auths":{"a.example":)" + auth("env:1") + "}}"},
                         {"REGISTRY_AUTH_FILE", "/run/auth.json"},
                         {"XDG_RUNTIME_DIR", "/run/user/1"},
                         {"XDG_CONFIG_HOME", "/cfg"},
                         {"DOCKER_CONFIG", "/docker"}};
  files_.put("/run/auth.json", R"({"auths":{"a.example":)" + auth("x:x") + R"(,"b.example":)" + auth("file:2") + "}}");
  files_.put("/docker/config.json", R"({"auths":{"c.example":)" + auth("docker:3") + "}}");
  files_.put("/home/ada/.dockercfg", R"({"https://d.example/v1/":)" + auth("old:4") + "}");
  EXPECT_EQ(found("a.example"), "env:1");
  EXPECT_EQ(found("b.example"), "file:2");
  EXPECT_EQ(found("c.example"), "docker:3");
  EXPECT_EQ(found("d.example"), "old:4");
  EXPECT_THAT(find("e.example")->looked_in,
              ElementsAre("DOCKER_AUTH_CONFIG", "/run/auth.json", "/run/user/1/containers/auth.json",
                          "/cfg/containers/auth.json", "/docker/config.json", "/home/ada/.dockercfg"));
  EXPECT_EQ(find("c.example")->credentials->source, "/docker/config.json");
}

TEST_F(CredentialsTest, OfTheFileThatIsNamedForUsComeBeforeAllOthers) {
  environment_.values = {
      {"DEPLOYCTL_REGISTRY_AUTH_FILE", "/run/secrets/registry.json"},
      {"DOCKER_AUTH_CONFIG", R"({"auths":{"a.example":)" + auth("env:1") + R"(,"b.example":)" + auth("env:2") + "}}"}};
  EXPECT_EQ(found("b.example"),
            "reading what DEPLOYCTL_REGISTRY_AUTH_FILE names: there is no '/run/secrets/registry.json'");
  files_.put("/run/secrets/registry.json", R"({"auths":{"a.example":)" + auth("ours:3") + "}}");
  EXPECT_EQ(found("a.example"), "ours:3");
  EXPECT_EQ(found("b.example"), "env:2");
  EXPECT_EQ(find("a.example")->credentials->source, "/run/secrets/registry.json");
}

TEST_F(CredentialsTest, OfAHelperBeatTheStoreAndTheFile) {
  files_.put(docker_file, R"({"credsStore":"desktop","credHelpers":{"r.example":"pass"},"auths":{"r.example":)" +
                              auth("a:b") + "}}");
  helper_.out = R"({"ServerURL":"r.example","Username":"ada","Secret":"s3"})";
  EXPECT_EQ(found("r.example"), "ada:s3");
  EXPECT_THAT(helper_.seen.argv, ElementsAre("docker-credential-pass", "get"));
  EXPECT_EQ(helper_.seen.input, "r.example");
  helper_.out = R"({"Username":"<token>","Secret":"refresh"})";
  EXPECT_EQ(found("docker.io", "library/nginx"), "token:refresh");
  EXPECT_EQ(helper_.seen.argv[0], "docker-credential-desktop");
  EXPECT_EQ(helper_.seen.input, "https://index.docker.io/v1/");
}

TEST_F(CredentialsTest, AreAnonymousWhenTheHelperKnowsNothing) {
  files_.put(docker_file, R"({"credsStore":"pass"})");
  helper_.code = 1;
  helper_.out = "credentials not found in native keychain \n";
  EXPECT_EQ(found("r.example"), "none");
}

TEST_F(CredentialsTest, SayWhatIsWrongWithAHelper) {
  files_.put(docker_file, R"({"credsStore":"pass"})");
  helper_.code = 2;
  helper_.out = "pass is not initialized: exit status 2\n";
  EXPECT_EQ(found("r.example"),
            "docker-credential-pass failed with exit code 2: pass is not initialized: exit status 2");
  helper_.err = "gpg: locked\npassword: canary-1\n";
  helper_.out = R"({"Username":"ada","Secret":"canary-2"})";
  EXPECT_EQ(found("r.example"), "docker-credential-pass failed with exit code 2: ***; gpg: locked password: ***");
  helper_.out = "canary-3";
  helper_.code = 0;
  EXPECT_EQ(found("r.example"), "docker-credential-pass answered with something that is not JSON");
  helper_.is_missing = true;
  EXPECT_EQ(found("r.example"),
            "the credential helper docker-credential-pass that /home/ada/.docker/config.json names is not installed");
  files_.put(docker_file, R"({"credsStore":"../../bin/sh"})");
  EXPECT_THAT(found("r.example"), HasSubstr("which cannot be a program's name"));
}

TEST_F(CredentialsTest, SayWhichFileIsDamagedWithoutShowingIt) {
  files_.put(docker_file, R"({"auths":{"r.example":{"auth":"c2VjcmV0"}}})");
  EXPECT_EQ(found("r.example"),
            "an entry in /home/ada/.docker/config.json is damaged: its auth is not base64 of user:password");
  files_.put(docker_file, R"({"auths": secret)");
  EXPECT_EQ(found("r.example"), "/home/ada/.docker/config.json is not valid JSON");
}

TEST(CredentialsInADocument, AreThoseOfTheLongestMatch) {
  const base::Secret document(R"({"auths":{"r.example":)" + auth("all:1") + R"(,"r.example/shop":)" + auth("shop:2") +
                              R"(,"*.mirror.example:5000":)" + auth("mirror:3") + "}}");
  const auto found = [&](const std::string& registry, const std::string& repository) {
    const auto credentials =
        credentials_in(document, DocumentForm::config, registry, repository, "the pull secret regcred");
    return credentials && *credentials ? (*credentials)->username : "none";
  };
  EXPECT_EQ(found("r.example", "other/api"), "all");
  EXPECT_EQ(found("r.example", "shop/api"), "shop");
  EXPECT_EQ(found("eu.mirror.example:5000", "shop/api"), "mirror");
  EXPECT_EQ(found("eu.west.mirror.example:5000", "shop/api"), "none");
  EXPECT_EQ(found("mirror.example:5000", "shop/api"), "none");
  EXPECT_EQ(found("eu.mirror.example", "shop/api"), "none");
}

TEST(CredentialsInADocument, MayStandBare) {
  const base::Secret document(R"({"r.example":)" + auth("old:1") + "}");
  const auto found = credentials_in(document, DocumentForm::bare, "r.example", "shop/api", "regcred");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->username, "old");
}

TEST(CredentialsInADocument, AreNotToldWhenItIsDamaged) {
  const auto found =
      credentials_in(base::Secret("secret{"), DocumentForm::config, "r.example", "shop/api", "the pull secret regcred");
  ASSERT_FALSE(found);
  EXPECT_EQ(to_string(found.error()), "the pull secret regcred is not valid JSON");
}

}  // namespace
}  // namespace deployctl::registry
