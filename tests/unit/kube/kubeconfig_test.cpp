#include "core/kube/kubeconfig.hpp"

#include <gtest/gtest.h>

namespace deployctl::kube {
namespace {

constexpr std::string_view whole = R"(apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: home
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority: pki/ca.crt
    tls-server-name: kubernetes
    proxy-url: socks5://127.0.0.1:1080
contexts:
- name: dev
  context: {cluster: home, user: me, namespace: shop}
users:
- name: me
  user:
    client-certificate-data: Y2Vy
      dA==
    client-key: /abs/key.pem
)";

Kubeconfig parsed(std::string_view text, const std::string& path = "/home/me/.kube/config") {
  auto config = parse_kubeconfig(text, path);
  EXPECT_TRUE(config) << to_string(config.error());
  return config ? *config : Kubeconfig{};
}

TEST(Kubeconfig, GivesACompleteContext) {
  const auto access = select_context(parsed(whole), "");
  ASSERT_TRUE(access) << to_string(access.error());
  EXPECT_EQ(access->context, "dev");
  EXPECT_EQ(access->name_space, "shop");
  EXPECT_EQ(access->cluster.server, "https://10.0.0.1:6443");
  EXPECT_EQ(access->cluster.authority.file, "/home/me/.kube/pki/ca.crt") << "relative to its own file";
  EXPECT_EQ(access->cluster.tls_server_name, "kubernetes");
  EXPECT_EQ(access->cluster.proxy_url, "socks5://127.0.0.1:1080");
  EXPECT_EQ(access->user.client_certificate.bytes.reveal(), "cert") << "base64 may be folded";
  EXPECT_EQ(access->user.client_key.file, "/abs/key.pem");
}

TEST(Kubeconfig, ReadsAnExecPlugin) {
  const auto config = parsed(R"(users:
- name: me
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./bin/login
      args: [--cluster, home]
      env: [{name: REGION, value: eu}]
      installHint: get it from us
      provideClusterInfo: true
)");
  const auto& plugin = config.users.at("me").exec;
  ASSERT_TRUE(plugin);
  EXPECT_EQ(plugin->command, "/home/me/.kube/bin/login");
  EXPECT_EQ(plugin->arguments, (std::vector<std::string>{"--cluster", "home"}));
  EXPECT_EQ(plugin->environment.at("REGION"), "eu");
  EXPECT_EQ(plugin->interactive, ExecPlugin::Interactive::if_available) << "the default of v1beta1";
  EXPECT_TRUE(plugin->provide_cluster_info);
}

TEST(Kubeconfig, OfSeveralFilesGivesEachEntryToTheFirst) {
  const auto first = parsed("clusters: [{name: a, cluster: {server: https://one}}]");
  const auto second = parsed(
      "current-context: b\nclusters: [{name: a, cluster: {server: https://two, proxy-url: http://p}},"
      " {name: b, cluster: {server: https://b}}]");
  const auto merged = merge({first, second});
  EXPECT_EQ(merged.current_context, "b");
  EXPECT_EQ(merged.clusters.at("a").server, "https://one");
  EXPECT_EQ(merged.clusters.at("a").proxy_url, "") << "entries are not mixed";
  EXPECT_EQ(merged.clusters.at("b").server, "https://b");
}

TEST(Kubeconfig, PathsAreTakenOnceAndEmptyOnesNotAtAll) {
  EXPECT_EQ(kubeconfig_paths("a::b:a:"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(kubeconfig_paths("").empty());
}

struct Refusal {
  std::string_view what;
  std::string_view cluster;
  std::string_view user;
  std::string_view message;
};

TEST(Kubeconfig, RefusesWhatContradictsItself) {
  const Refusal rows[] = {
      {"no server", "{}", "{}", "cluster 'c' in the kubeconfig cannot be used: it has no server"},
      {"two authorities", "{server: https://s, certificate-authority: f, certificate-authority-data: eA==}", "{}",
       "cluster 'c' in the kubeconfig cannot be used: certificate-authority and certificate-authority-data are both "
       "given"},
      {"insecure with authority", "{server: https://s, certificate-authority: f, insecure-skip-tls-verify: true}", "{}",
       "cluster 'c' in the kubeconfig cannot be used: insecure-skip-tls-verify and a certificate authority are both "
       "given"},
      {"two certificates", "{server: https://s}", "{client-certificate: f, client-certificate-data: eA==}",
       "user 'u' in the kubeconfig cannot be used: client-certificate and client-certificate-data are both given"},
      {"certificate without key", "{server: https://s}", "{client-certificate: f}",
       "user 'u' in the kubeconfig cannot be used: it has a client-certificate without a client-key"},
      {"key without certificate", "{server: https://s}", "{client-key: f}",
       "user 'u' in the kubeconfig cannot be used: it has a client-key without a client-certificate"},
      {"token and basic", "{server: https://s}", "{token: t, username: n}",
       "user 'u' in the kubeconfig cannot be used: token and username are both given"},
      {"auth provider", "{server: https://s}", "{auth-provider: {name: gcp}}",
       "user 'u' in the kubeconfig cannot be used: it uses the auth-provider 'gcp', which Kubernetes has given up; use "
       "an exec plugin or a token"},
      {"groups alone", "{server: https://s}", "{as-groups: [a]}",
       "user 'u' in the kubeconfig cannot be used: as-groups, as-uid or as-user-extra is given without as"},
      {"plugin version", "{server: https://s}",
       "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1, interactiveMode: Never}}",
       "user 'u' in the kubeconfig cannot be used: exec.apiVersion is 'client.authentication.k8s.io/v1alpha1'; "
       "supported are client.authentication.k8s.io/v1 and …/v1beta1"},
  };
  for (const auto& row : rows) {
    const auto text = fmt::format(
        "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
        "clusters: [{{name: c, cluster: {}}}]\nusers: [{{name: u, user: {}}}]\n",
        row.cluster, row.user);
    const auto access = select_context(parsed(text), "");
    ASSERT_FALSE(access) << row.what;
    EXPECT_EQ(access.error().message, row.message) << row.what;
    EXPECT_EQ(access.error().code, base::ErrorCode::invalid_input);
  }
}

struct Mistake {
  std::string_view text;
  std::string_view message;
};

TEST(Kubeconfig, SaysWhereAMistakeStands) {
  const Mistake rows[] = {
      {"clusters: [{cluster: {server: https://s}}]", "kubeconfig /k: clusters[0].name is missing"},
      {"clusters: [{name: c, cluster: {server: 7}}]", "kubeconfig /k: clusters[0].cluster.server is no text"},
      {"clusters: [{name: c, cluster: {certificate-authority-data: '!'}}]",
       "kubeconfig /k: clusters[0].cluster.certificate-authority-data is no base64"},
      {"users: [{name: u, user: {exec: {command: x, apiVersion: client.authentication.k8s.io/v1}}}]",
       "kubeconfig /k: users[0].user.exec.interactiveMode must be Never, IfAvailable or Always"},
      {"[1]", "kubeconfig /k: it is no mapping"},
  };
  for (const auto& row : rows) {
    const auto config = parse_kubeconfig(row.text, "/k");
    ASSERT_FALSE(config) << row.text;
    EXPECT_EQ(config.error().message, row.message);
  }
  const auto broken = parse_kubeconfig("a: [", "/k");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, base::ErrorCode::invalid_input);
}

TEST(Context, ThatIsNotThereIsNamedWithItsNeighbour) {
  const auto missing = select_context(parsed(whole), "dve");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "the kubeconfig has no context 'dve'");
  EXPECT_EQ(missing.error().hint, "did you mean 'dev'?");
  const auto other = select_context(parsed(whole), "production");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().hint, "there are: dev");
  const auto none = select_context(parsed("contexts: [{name: a, context: {}}]"), "");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "the kubeconfig has no current-context");
}

TEST(InCluster, PutsBracketsAroundIpv6) {
  EXPECT_EQ(in_cluster_access("10.96.0.1", "443").cluster.server, "https://10.96.0.1:443");
  EXPECT_EQ(in_cluster_access("fd00::1", "443").cluster.server, "https://[fd00::1]:443");
}

}  // namespace
}  // namespace deployctl::kube
