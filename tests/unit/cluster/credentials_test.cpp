#include "core/cluster/credentials.hpp"

#include "tests/unit/cluster/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::cluster {
namespace {

using std::chrono::seconds;

kube::Access access() {
  kube::Access made;
  made.cluster.server = "https://k8s";
  return made;
}

std::shared_ptr<Credentials> credentials(const kube::Access& of, World& world) {
  auto made = Credentials::make(of, {world.files, world.environment, world.processes, world.clock});
  EXPECT_TRUE(made) << to_string(made.error());
  return made ? *made : nullptr;
}

http::Request authorized(Credentials& by) {
  http::Request request;
  const auto status = by.authorize(request, {});
  EXPECT_TRUE(status) << to_string(status.error());
  return request;
}

TEST(Credentials, ReadATokenFileAgainAfterAMinuteOrARefusal) {
  World world;
  world.files.put("/token", " one\n");
  auto of = access();
  of.user.token_file = "/token";
  const auto by = credentials(of, world);
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer one");
  world.files.put("/token", "two");
  world.clock.advance(seconds(59));
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer one");
  world.clock.advance(seconds(2));
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer two");
  world.files.put("/token", "three");
  EXPECT_TRUE(by->refresh());
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer three");
  EXPECT_TRUE(world.files.remove("/token"));
  EXPECT_TRUE(by->refresh());
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer three") << "the old token stays";
}

TEST(Credentials, SendBasicAndImpersonation) {
  World world;
  auto of = access();
  of.user.username = "me";
  of.user.password = base::Secret("pw");
  of.user.impersonation = {.user = "bob", .uid = "7", .groups = {"a", "b"}, .extra = {{"Scope/x", {"1"}}}};
  const auto request = authorized(*credentials(of, world));
  EXPECT_EQ(request.headers.get("Authorization"), "Basic bWU6cHc=");
  EXPECT_EQ(request.headers.get("Impersonate-User"), "bob");
  EXPECT_EQ(request.headers.get("Impersonate-Uid"), "7");
  EXPECT_EQ(request.headers.all("Impersonate-Group"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request.headers.get("Impersonate-Extra-scope%2Fx"), "1");
}

kube::Access with_plugin() {
  auto of = access();
  of.user.exec = kube::ExecPlugin{.api_version = "client.authentication.k8s.io/v1",
                                  .command = "login",
                                  .arguments = {"--now"},
                                  .environment = {{"REGION", "eu"}},
                                  .install_hint = "apt install login",
                                  .provide_cluster_info = true};
  return of;
}

std::string answer(std::string_view status) {
  return fmt::format(R"({{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}})",
                     status);
}

TEST(ExecPlugin, IsRunOnceUntilItsAnswerExpires) {
  World world;
  world.processes.outputs = {answer(R"({"token":"one","expirationTimestamp":"2026-01-01T00:10:00Z"})"),
                             answer(R"({"token":"two"})"), answer(R"({"token":"three"})")};
  const auto by = credentials(with_plugin(), world);
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer one");
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer one");
  EXPECT_EQ(world.processes.commands.size(), 1U);
  const auto& command = world.processes.commands[0];
  EXPECT_EQ(command.argv, (std::vector<std::string>{"login", "--now"}));
  EXPECT_EQ(command.environment.at("REGION"), "eu");
  EXPECT_EQ(command.environment.at("KUBERNETES_EXEC_INFO"),
            R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
            R"("spec":{"interactive":false,"cluster":{"server":"https://k8s"}}})");
  world.clock.advance(seconds(600));
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer two");
  EXPECT_TRUE(by->refresh());
  EXPECT_EQ(authorized(*by).headers.get("Authorization"), "Bearer three");
}

TEST(ExecPlugin, MayGiveACertificateWhichMakesANewIdentity) {
  World world;
  world.processes.outputs = {answer(R"({"clientCertificateData":"C1","clientKeyData":"K1"})"),
                             answer(R"({"clientCertificateData":"C2","clientKeyData":"K2"})")};
  const auto by = credentials(with_plugin(), world);
  const auto first = authorized(*by).tls;
  EXPECT_EQ(first->client_certificate_pem, "C1");
  EXPECT_EQ(first->client_key_pem.reveal(), "K1");
  EXPECT_EQ(authorized(*by).tls, first) << "the same connections are used";
  EXPECT_TRUE(by->refresh());
  EXPECT_NE(authorized(*by).tls, first);
}

TEST(ExecPlugin, IsNotAskedWhenTheKubeconfigHasATokenOfItsOwn) {
  World world;
  auto of = with_plugin();
  of.user.token = base::Secret("own");
  EXPECT_EQ(authorized(*credentials(of, world)).headers.get("Authorization"), "Bearer own");
  EXPECT_TRUE(world.processes.commands.empty());
}

struct Refusal {
  std::string output;
  std::string message;
};

TEST(ExecPlugin, WithAnUselessAnswerIsNamedWithoutIt) {
  const Refusal rows[] = {
      {"secret!", "it is no JSON"},
      {R"({"kind":"Pod"})", "it is no ExecCredential"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"t"}})",
       "its apiVersion is 'client.authentication.k8s.io/v1beta1', the kubeconfig says "
       "'client.authentication.k8s.io/v1'"},
      {answer(R"({"clientCertificateData":"C"})"),
       "it has one of clientCertificateData and clientKeyData without the other"},
      {answer("{}"), "it has neither a token nor a certificate"},
      {answer(R"({"token":"t","expirationTimestamp":"soon"})"), "its expirationTimestamp is no time"},
  };
  for (const auto& row : rows) {
    World world;
    world.processes.outputs = {row.output};
    http::Request request;
    const auto status = credentials(with_plugin(), world)->authorize(request, {});
    ASSERT_FALSE(status) << row.output;
    EXPECT_EQ(status.error().message, "the answer of the credential plugin login cannot be used: " + row.message);
    EXPECT_EQ(status.error().code, base::ErrorCode::unauthorized);
  }
}

TEST(ExecPlugin, ThatIsMissingIsNamedWithItsInstallHint) {
  World world;
  world.processes.failure = base::Error::not_found("there is no program login");
  http::Request request;
  const auto status = credentials(with_plugin(), world)->authorize(request, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "the credential plugin login is not installed");
  EXPECT_EQ(status.error().hint, "apt install login");
}

TEST(ExecPlugin, ThatFailsIsQuotedWithItsLastLine) {
  World world;
  world.processes.exit_code = 2;
  world.processes.complaint = "starting\nnot logged in\n";
  http::Request request;
  const auto status = credentials(with_plugin(), world)->authorize(request, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "the credential plugin login failed with exit code 2: not logged in");
}

TEST(ExecPlugin, ThatFailsIsQuotedWithoutWhatItKnows) {
  World world;
  world.processes.exit_code = 1;
  world.processes.complaint = "refused: token=hunter2\n";
  http::Request request;
  const auto status = credentials(with_plugin(), world)->authorize(request, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "the credential plugin login failed with exit code 1: refused: token=***");
}

TEST(ExecPlugin, ThatDoesNotEndLeavesUsWithoutCredentials) {
  World world;
  world.processes.failure = base::Error::failed("'login' did not end within 60000 ms and was stopped");
  http::Request request;
  const auto status = credentials(with_plugin(), world)->authorize(request, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "the credential plugin login gives no answer: 'login' did not end within 60000 ms and was stopped");
  EXPECT_EQ(status.error().code, base::ErrorCode::unauthorized);
}

TEST(ExecPlugin, ThatNeedsATerminalIsRefused) {
  World world;
  auto of = with_plugin();
  of.user.exec->interactive = kube::ExecPlugin::Interactive::always;
  http::Request request;
  const auto status = credentials(of, world)->authorize(request, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "the credential plugin login needs a terminal");
}

}  // namespace
}  // namespace deployctl::cluster
