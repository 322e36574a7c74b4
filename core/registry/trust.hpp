// How TLS is spoken to a registry: with the certificates that the user laid down for it where podman and docker look
// (containers-certs.d(5), docker's "Verify repository client with certificates"):
//
//   $XDG_CONFIG_HOME/containers/certs.d/<host:port>/, /etc/containers/certs.d/…, /etc/docker/certs.d/…
//
// The first of these folders that is there counts. Its *.crt files are authorities beside the system's, or those of
// the file that SSL_CERT_FILE names; a *.cert file and the *.key file of the same name say who we are.
#pragma once

#include "core/base/result.hpp"
#include "core/base/url.hpp"
#include "core/http/transport.hpp"
#include "core/io/environment.hpp"
#include "core/io/file_system.hpp"

#include <memory>
#include <string>
#include <vector>

namespace deployctl::registry {

// What a project says of a registry.
struct RegistryTrust {
  std::string host;          // host or host:port
  bool is_insecure = false;  // plain http, or https with any certificate
  std::string ca;            // file; its authorities in place of those in the folder; empty: none
};

// The file of the system's certificate authorities, or the one that SSL_CERT_FILE names; empty when there is none.
std::string system_authorities(const io::FileSystem& files, const io::Environment& environment);

// Null: nothing is laid down, the system's authorities decide. An error is a file that is there but cannot be used.
base::Result<std::shared_ptr<const http::TlsSettings>> tls_settings(const std::string& registry,
                                                                    const std::vector<RegistryTrust>& trusts,
                                                                    const io::FileSystem& files,
                                                                    const io::Environment& environment);

// The registries that the user allows to be spoken to in plain http, or in https with any certificate: those of the
// project, and DEPLOYCTL_INSECURE_REGISTRIES, host:port or host (at the ports of http and https), separated by commas.
std::vector<std::string> insecure_registries(const std::vector<RegistryTrust>& trusts,
                                             const io::Environment& environment);

// Whether one of the names ("host:port") is the registry's. A host alone is that host at the ports of http and https.
bool names_registry(const std::vector<std::string>& names, const base::Url& registry);

}  // namespace deployctl::registry
