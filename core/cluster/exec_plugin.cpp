#include "core/cluster/exec_plugin.hpp"

#include "core/base/secret_words.hpp"
#include "core/base/text.hpp"
#include "core/io/clock.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::cluster {
namespace {

using base::Error;
using base::Result;
using base::Secret;

constexpr auto longest_run = std::chrono::seconds(60);

// What the program is told in KUBERNETES_EXEC_INFO.
json::Value exec_info(const kube::ExecPlugin& plugin, const kube::ClusterEntry& cluster,
                      std::string_view authority_pem) {
  json::Value spec = {{"interactive", false}};
  if (plugin.provide_cluster_info) {
    json::Value about = {{"server", cluster.server}};
    if (!cluster.tls_server_name.empty()) {
      about["tls-server-name"] = cluster.tls_server_name;
    }
    if (cluster.insecure_skip_tls_verify) {
      about["insecure-skip-tls-verify"] = true;
    }
    if (!authority_pem.empty()) {
      about["certificate-authority-data"] = base::base64_encode(authority_pem);
    }
    if (!cluster.proxy_url.empty()) {
      about["proxy-url"] = cluster.proxy_url;
    }
    if (!cluster.exec_extension.is_null()) {
      about["config"] = cluster.exec_extension;
    }
    spec["cluster"] = std::move(about);
  }
  return {{"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", std::move(spec)}};
}

// The last line a program complained with, which may hold what it knows.
std::string last_line(std::string_view text) {
  const auto trimmed = base::trim(text);
  const auto line_feed = trimmed.rfind('\n');
  return base::without_secrets(line_feed == std::string_view::npos ? trimmed : trimmed.substr(line_feed + 1));
}

}  // namespace

Result<PluginAnswer> run_exec_plugin(const kube::ExecPlugin& plugin, const kube::ClusterEntry& cluster,
                                     std::string_view authority_pem, io::ProcessRunner& processes,
                                     std::stop_token stop) {
  if (plugin.interactive == kube::ExecPlugin::Interactive::always) {
    return Error::unauthorized("the credential plugin {} needs a terminal", plugin.command)
        .with_hint("log in with it by hand first, or use credentials that need none");
  }
  io::Command command{.argv = {plugin.command}, .environment = plugin.environment, .timeout = longest_run};
  command.argv.insert(command.argv.end(), plugin.arguments.begin(), plugin.arguments.end());
  command.environment["KUBERNETES_EXEC_INFO"] = json::to_compact_text(exec_info(plugin, cluster, authority_pem));
  const auto output = io::run_and_capture(processes, command, std::move(stop));
  if (!output && output.error().code == base::ErrorCode::not_found) {
    return Error::unauthorized("the credential plugin {} is not installed", plugin.command)
        .with_hint("{}", base::printable(plugin.install_hint));
  }
  if (!output && output.error().code == base::ErrorCode::interrupted) {
    return output.error().within("running the credential plugin {}", plugin.command);
  }
  if (!output) {
    return Error::unauthorized("the credential plugin {} gives no answer: {}", plugin.command, output.error().message);
  }
  if (!output->status.is_success()) {
    return Error::unauthorized("the credential plugin {} failed with exit code {}: {}", plugin.command,
                               output->status.code, last_line(output->err));
  }
  return read_plugin_answer(output->out, plugin);
}

Result<PluginAnswer> read_plugin_answer(std::string_view text, const kube::ExecPlugin& plugin) {
  const auto refuse = [&](std::string_view why) {
    return Error::unauthorized("the answer of the credential plugin {} cannot be used: {}", plugin.command, why);
  };
  const auto body = json::parse(text, "the answer");
  if (!body) {
    return refuse("it is no JSON");
  }
  const json::Reader root(*body);
  if (root.at("kind").string_or() != "ExecCredential") {
    return refuse("it is no ExecCredential");
  }
  if (root.at("apiVersion").string_or() != plugin.api_version) {
    return refuse(fmt::format("its apiVersion is '{}', the kubeconfig says '{}'",
                              base::printable(root.at("apiVersion").string_or()), plugin.api_version));
  }
  const auto status = root.at("status");
  PluginAnswer answer{.token = Secret(status.at("token").string_or()),
                      .certificate_pem = status.at("clientCertificateData").string_or(),
                      .key_pem = Secret(status.at("clientKeyData").string_or())};
  if (answer.certificate_pem.empty() != answer.key_pem.empty()) {
    return refuse("it has one of clientCertificateData and clientKeyData without the other");
  }
  if (answer.token.empty() && answer.key_pem.empty()) {
    return refuse("it has neither a token nor a certificate");
  }
  if (const auto expiry = status.at("expirationTimestamp").string()) {
    answer.expiry = io::parse_rfc3339(*expiry);
    if (!answer.expiry) {
      return refuse("its expirationTimestamp is no time");
    }
  }
  return answer;
}

}  // namespace deployctl::cluster
