#include "core/cluster/credentials.hpp"

#include "core/base/text.hpp"
#include "core/cluster/exec_plugin.hpp"

namespace deployctl::cluster {
namespace {

using base::Error;
using base::Result;
using base::Secret;
using std::chrono::seconds;

constexpr std::uint64_t largest_file = 1u << 20u;
constexpr auto token_file_age = seconds(60);  // projected tokens rotate
constexpr auto expiry_margin = seconds(10);

Result<std::string> read_material(const kube::Material& material, io::FileSystem& files, std::string_view what) {
  if (material.file.empty()) {
    return material.bytes.reveal();
  }
  auto text = files.read(material.file, largest_file);
  if (!text) {
    return Error::invalid_input("cannot read the {} {}: {}", what, material.file, text.error().message);
  }
  return text;
}

void add_impersonation(const kube::Impersonation& who, http::Headers& headers) {
  if (who.user.empty()) {
    return;
  }
  headers.set("Impersonate-User", who.user);
  if (!who.uid.empty()) {
    headers.set("Impersonate-Uid", who.uid);
  }
  for (const auto& group : who.groups) {
    headers.add("Impersonate-Group", group);
  }
  for (const auto& [key, values] : who.extra) {
    for (const auto& value : values) {
      headers.add("Impersonate-Extra-" + base::percent_encode(base::to_lower(key)), value);
    }
  }
}

}  // namespace

Result<std::shared_ptr<Credentials>> Credentials::make(const kube::Access& access, CredentialPorts ports) {
  std::shared_ptr<Credentials> made(new Credentials(access, ports));
  made->sends_credentials_ = access.cluster.server.starts_with("https:");
  auto authority = read_material(access.cluster.authority, ports.files, "certificate authority");
  if (!authority) {
    return authority.error();
  }
  made->authority_pem_ = std::move(*authority);
  auto certificate = read_material(access.user.client_certificate, ports.files, "client certificate");
  if (!certificate) {
    return certificate.error();
  }
  auto key = read_material(access.user.client_key, ports.files, "client key");
  if (!key) {
    return key.error();
  }
  made->use(
      {.token = access.user.token, .certificate_pem = std::move(*certificate), .key_pem = Secret(std::move(*key))});
  return made;
}

// A new TLS settings object means a new identity: connections made with the one before are not used for it.
void Credentials::use(Identity identity) {
  const auto& cluster = access_.cluster;
  http::TlsSettings settings{.verify = !cluster.insecure_skip_tls_verify,
                             .ca_pem = authority_pem_,
                             .client_certificate_pem = {},
                             .client_key_pem = {},
                             .server_name = cluster.tls_server_name};
  if (sends_credentials_) {
    settings.client_certificate_pem = std::move(identity.certificate_pem);
    settings.client_key_pem = std::move(identity.key_pem);
    token_ = std::move(identity.token);
  }
  const bool is_same = tls_ && tls_->client_certificate_pem == settings.client_certificate_pem &&
                       tls_->client_key_pem == settings.client_key_pem;
  if (!is_same) {
    tls_ = std::make_shared<const http::TlsSettings>(std::move(settings));
  }
}

base::Status Credentials::authorize(http::Request& request, std::stop_token stop) {
  const std::scoped_lock lock(mutex_);
  if (sends_credentials_) {
    if (auto status = renew(std::move(stop)); !status) {
      return status;
    }
    if (!token_.empty()) {
      request.headers.set("Authorization", "Bearer " + token_.reveal());
    } else if (!access_.user.username.empty()) {
      const auto pair = access_.user.username + ":" + access_.user.password.reveal();
      request.headers.set("Authorization", "Basic " + base::base64_encode(pair));
    }
    add_impersonation(access_.user.impersonation, request.headers);
  }
  request.tls = tls_;
  return {};
}

// A token stands above a token file, and anything that stands in the kubeconfig above an exec plugin.
base::Status Credentials::renew(std::stop_token stop) {
  const auto& user = access_.user;
  if (!user.token.empty()) {
    return {};
  }
  if (!user.token_file.empty()) {
    return renew_from_token_file();
  }
  const bool has_own = !user.username.empty() || !user.client_certificate.empty();
  return user.exec && !has_own ? renew_from_plugin(std::move(stop)) : base::Status();
}

// A token file that cannot be read any more leaves the token there was.
base::Status Credentials::renew_from_token_file() {
  const auto now = ports_.clock.steady_now();
  if (token_read_at_ && now - *token_read_at_ < token_file_age) {
    return {};
  }
  const auto text = ports_.files.read(access_.user.token_file, largest_file);
  if (!text && token_.empty()) {
    return Error::unauthorized("cannot read the token file {}: {}", access_.user.token_file, text.error().message);
  }
  token_read_at_ = now;
  if (text) {
    token_ = Secret(std::string(base::trim(*text)));
  }
  return {};
}

base::Status Credentials::renew_from_plugin(std::stop_token stop) {
  const bool is_fresh = has_plugin_answer_ && (!plugin_expiry_ || ports_.clock.now() + expiry_margin < *plugin_expiry_);
  if (is_fresh) {
    return {};
  }
  auto answer = run_exec_plugin(*access_.user.exec, access_.cluster, authority_pem_, ports_.processes, std::move(stop));
  if (!answer) {
    return answer.error();
  }
  has_plugin_answer_ = true;
  plugin_expiry_ = answer->expiry;
  use({.token = std::move(answer->token),
       .certificate_pem = std::move(answer->certificate_pem),
       .key_pem = std::move(answer->key_pem)});
  return {};
}

bool Credentials::refresh() {
  const std::scoped_lock lock(mutex_);
  const bool has_more =
      sends_credentials_ && access_.user.token.empty() && (!access_.user.token_file.empty() || has_plugin_answer_);
  token_read_at_.reset();
  has_plugin_answer_ = false;
  return has_more;
}

}  // namespace deployctl::cluster
