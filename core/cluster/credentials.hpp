// Proof of who we are, put on each request: certificates, tokens, token files that rotate, exec plugins.
//
// Thread-safe: the watches of a rollout and its requests share one.
#pragma once

#include "core/base/result.hpp"
#include "core/http/transport.hpp"
#include "core/io/clock.hpp"
#include "core/io/environment.hpp"
#include "core/io/file_system.hpp"
#include "core/io/process.hpp"
#include "core/kube/kubeconfig.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace deployctl::cluster {

struct CredentialPorts {
  io::FileSystem& files;
  io::Environment& environment;
  io::ProcessRunner& processes;
  io::Clock& clock;
};

class Credentials {
 public:
  // Reads the certificates the access names. invalid_input when one is missing or both of a pair are not there.
  static base::Result<std::shared_ptr<Credentials>> make(const kube::Access& access, CredentialPorts ports);

  // Adds TLS settings and the Authorization and impersonation fields. Reads a token file again once a minute and runs
  // an exec plugin when its answer has expired. unauthorized when no credential can be had.
  base::Status authorize(http::Request& request, std::stop_token stop);

  // The certificates the server is verified by; empty: the system's.
  [[nodiscard]] const std::string& authority_pem() const { return authority_pem_; }

  // The server refused them (401): true when others may be had, so that one more try makes sense.
  bool refresh();

 private:
  struct Identity {
    base::Secret token;
    std::string certificate_pem;
    base::Secret key_pem;
  };

  Credentials(kube::Access access, CredentialPorts ports) : access_(std::move(access)), ports_(ports) {}

  base::Status renew(std::stop_token stop);
  base::Status renew_from_plugin(std::stop_token stop);
  base::Status renew_from_token_file();
  void use(Identity identity);

  kube::Access access_;
  CredentialPorts ports_;
  bool sends_credentials_ = true;  // only over https
  std::string authority_pem_;

  std::mutex mutex_;
  std::shared_ptr<const http::TlsSettings> tls_;
  base::Secret token_;
  std::optional<io::SteadyTime> token_read_at_;
  bool has_plugin_answer_ = false;
  std::optional<io::WallTime> plugin_expiry_;
};

}  // namespace deployctl::cluster
