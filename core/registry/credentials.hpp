// Where the user keeps credentials for registries: the files of docker and podman, and credential helpers.
//
// Looked up in this order, the first that knows the registry wins: DEPLOYCTL_REGISTRY_AUTH_FILE (a file for us alone),
// DOCKER_AUTH_CONFIG, REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json,
// $XDG_CONFIG_HOME/containers/auth.json, $DOCKER_CONFIG/config.json (or ~/.docker/config.json), ~/.dockercfg.
#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/io/environment.hpp"
#include "core/io/file_system.hpp"
#include "core/io/process.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::registry {

struct Credentials {
  std::string username;
  base::Secret password;
  base::Secret identity_token;  // instead of a password: a refresh token for the token service
  std::string source;           // "/home/ada/.docker/config.json", "docker-credential-pass"
};

struct CredentialLookup {
  std::optional<Credentials> credentials;  // nothing: anonymous
  std::vector<std::string> looked_in;      // where, for "no credentials found for X (looked in …)"
};

// What a document of docker's says of a repository: its configuration file, or, `bare`, only the entries of its "auths"
// (as ~/.dockercfg and the older kind of Kubernetes pull secret have them). Hosts may hold `*`, as Kubernetes takes
// them. Nothing when it knows none; failed when it is damaged. `source` is what messages call the document.
enum class DocumentForm { config, bare };
base::Result<std::optional<Credentials>> credentials_in(const base::Secret& document, DocumentForm form,
                                                        const std::string& registry, const std::string& repository,
                                                        const std::string& source);

class CredentialStore {
 public:
  virtual ~CredentialStore() = default;
  // The credentials for a repository of a registry. An error is a source that is there but cannot be used: a damaged
  // file, a helper that fails. Called from any thread.
  virtual base::Result<CredentialLookup> find(const std::string& registry, const std::string& repository,
                                              std::stop_token stop) = 0;
};

class UserCredentials final : public CredentialStore {
 public:
  UserCredentials(const io::FileSystem& files, const io::Environment& environment, io::ProcessRunner& runner)
      : files_(files), environment_(environment), runner_(runner) {}

  base::Result<CredentialLookup> find(const std::string& registry, const std::string& repository,
                                      std::stop_token stop) override;

 private:
  const io::FileSystem& files_;
  const io::Environment& environment_;
  io::ProcessRunner& runner_;
};

// Always the same, whatever is asked for: for a password given to us directly.
class FixedCredentials final : public CredentialStore {
 public:
  explicit FixedCredentials(std::optional<Credentials> credentials) : credentials_(std::move(credentials)) {}
  base::Result<CredentialLookup> find(const std::string& registry, const std::string& repository,
                                      std::stop_token stop) override;

 private:
  std::optional<Credentials> credentials_;
};

}  // namespace deployctl::registry
