#include "core/cluster/connection.hpp"

#include "tests/unit/cluster/fakes.hpp"

#include <gtest/gtest.h>

namespace deployctl::cluster {
namespace {

constexpr const char* home_config =
    "current-context: dev\n"
    "contexts: [{name: dev, context: {cluster: c, user: u, namespace: shop}}, {name: bare, context: {cluster: c}}]\n"
    "clusters: [{name: c, cluster: {server: 'https://10.0.0.1:6443'}}]\n"
    "users: [{name: u, user: {token: t}}]\n";

TEST(Connection, ComesFromTheHomeDirectory) {
  World world;
  world.files.put("/home/me/.kube/config", home_config);
  const auto connection = open_connection({}, world.ports());
  ASSERT_TRUE(connection) << to_string(connection.error());
  EXPECT_EQ(connection->description(), "https://10.0.0.1:6443 (context dev of ~/.kube/config)");
  EXPECT_EQ(connection->name_space, "shop");
  EXPECT_TRUE(connection->warnings.empty());
}

TEST(Connection, TakesTheListOfTheEnvironmentAndSkipsMissingFiles) {
  World world;
  world.environment.variables["KUBECONFIG"] = "/none:/a:b";
  world.files.put("/a", "current-context: dev\ncontexts: [{name: dev, context: {cluster: c}}]\n");
  world.files.put("/project/b", "clusters: [{name: c, cluster: {server: k8s:6443}}]\n");
  const auto connection = open_connection({}, world.ports());
  ASSERT_TRUE(connection) << to_string(connection.error());
  EXPECT_EQ(connection->description(), "https://k8s:6443 (context dev of /a:b)") << "a bare server is https";
  EXPECT_EQ(connection->name_space, "default");
}

TEST(Connection, OptionsStandAboveTheContext) {
  World world;
  world.files.put("/x", home_config);
  const auto connection = open_connection({.kubeconfig = "/x", .context = "bare", .name_space = "mine"}, world.ports());
  ASSERT_TRUE(connection) << to_string(connection.error());
  EXPECT_EQ(connection->context, "bare");
  EXPECT_EQ(connection->name_space, "mine");
}

TEST(Connection, FallsBackToThePodsOwnAccount) {
  World world;
  world.environment.variables["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
  world.environment.variables["KUBERNETES_SERVICE_PORT"] = "443";
  const std::string folder(kube::service_account_folder);
  world.files.put(folder + "/token", "tok\n");
  world.files.put(folder + "/ca.crt", "PEM");
  world.files.put(folder + "/namespace", "inside\n");
  const auto connection = open_connection({}, world.ports());
  ASSERT_TRUE(connection) << to_string(connection.error());
  EXPECT_EQ(connection->description(), "https://10.96.0.1:443 (in-cluster configuration)");
  EXPECT_EQ(connection->name_space, "inside");
  http::Request request{.url = connection->server};
  ASSERT_TRUE(connection->credentials->authorize(request, {}));
  EXPECT_EQ(request.headers.get("Authorization"), "Bearer tok");
  EXPECT_EQ(request.tls->ca_pem, "PEM");
}

TEST(Connection, IsNotFoundWhenNothingIsConfigured) {
  World world;
  const auto connection = open_connection({}, world.ports());
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, base::ErrorCode::not_found);
  EXPECT_EQ(connection.error().message, "no cluster is configured: there is no context in ~/.kube/config");
}

TEST(Connection, NamesAFileThatMustBeThere) {
  World world;
  const auto connection = open_connection({.kubeconfig = "/gone"}, world.ports());
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().message, "cannot read the kubeconfig /gone: there is no '/gone'");
}

TEST(Connection, KeepsCredentialsFromPlainHttp) {
  World world;
  world.files.put(
      "/home/me/.kube/config",
      "current-context: d\ncontexts: [{name: d, context: {cluster: c, user: u}}]\n"
      "clusters: [{name: c, cluster: {server: 'http://10.0.0.1:8080'}}]\nusers: [{name: u, user: {token: t}}]\n");
  const auto connection = open_connection({}, world.ports());
  ASSERT_TRUE(connection) << to_string(connection.error());
  EXPECT_EQ(connection->warnings,
            (std::vector<std::string>{"the credentials of user u are not sent: http://10.0.0.1:8080 is not https"}));
  http::Request request{.url = connection->server};
  ASSERT_TRUE(connection->credentials->authorize(request, {}));
  EXPECT_FALSE(request.headers.get("Authorization"));
}

TEST(Connection, NamesACertificateThatCannotBeRead) {
  World world;
  world.files.put("/home/me/.kube/config",
                  "current-context: d\ncontexts: [{name: d, context: {cluster: c}}]\n"
                  "clusters: [{name: c, cluster: {server: 'https://k', certificate-authority: ca.crt}}]\n");
  const auto connection = open_connection({}, world.ports());
  ASSERT_FALSE(connection);
  EXPECT_EQ(to_string(connection.error()),
            "using context d of ~/.kube/config: cannot read the certificate authority /home/me/.kube/ca.crt: there is "
            "no '/home/me/.kube/ca.crt'");
}

}  // namespace
}  // namespace deployctl::cluster
