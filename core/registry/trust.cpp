#include "core/registry/trust.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::uint64_t largest_file = 4u << 20u;
constexpr std::string_view certificate_suffix = ".cert";

std::vector<std::string> folders(const std::string& registry, const io::Environment& environment) {
  const auto home = environment.get_or("XDG_CONFIG_HOME", io::join_path(environment.home_directory(), ".config"));
  std::vector<std::string> list;
  for (const auto& parent : {io::join_path(home, "containers/certs.d"), std::string("/etc/containers/certs.d"),
                             std::string("/etc/docker/certs.d")}) {
    list.push_back(io::join_path(parent, registry));
  }
  return list;
}

Status add_client(const std::string& certificate, const io::FileSystem& files, http::TlsSettings& settings) {
  const auto key = certificate.substr(0, certificate.size() - certificate_suffix.size()) + ".key";
  auto certificate_pem = files.read(certificate, largest_file);
  auto key_pem = files.read(key, largest_file);
  if (!certificate_pem || !key_pem) {
    return certificate_pem ? key_pem.error() : certificate_pem.error();
  }
  settings.client_certificate_pem = std::move(*certificate_pem);
  settings.client_key_pem = base::Secret(std::move(*key_pem));
  return {};
}

Status add_authority(const std::string& path, const io::FileSystem& files, http::TlsSettings& settings) {
  const auto pem = files.read(path, largest_file);
  if (!pem) {
    return pem.error();
  }
  settings.ca_pem += *pem + "\n";
  return {};
}

Status add_file(const std::string& path, const io::FileSystem& files, http::TlsSettings& settings) {
  if (path.ends_with(".crt")) {
    return add_authority(path, files, settings);
  }
  const bool is_first_client = path.ends_with(certificate_suffix) && settings.client_certificate_pem.empty();
  return is_first_client ? add_client(path, files, settings) : Status();
}

Status add_folder(const std::string& folder, const io::FileSystem& files, http::TlsSettings& settings) {
  const auto names = files.list(folder);
  if (!names) {
    return names.error();
  }
  for (const auto& name : *names) {
    if (const auto added = add_file(io::join_path(folder, name), files, settings); !added) {
      return added;
    }
  }
  return {};
}

Status add_system_authorities(const io::FileSystem& files, const io::Environment& environment,
                              http::TlsSettings& settings) {
  const auto path = system_authorities(files, environment);
  return path.empty() ? Status() : add_authority(path, files, settings);
}

// libcurl by itself knows the system's authorities, but not those that SSL_CERT_FILE names. Beside authorities for a
// registry they are named too: its token service and its storage may be elsewhere, with certificates that everybody
// trusts.
bool needs_system_authorities(const http::TlsSettings& settings, const io::Environment& environment) {
  return !settings.ca_pem.empty() || !environment.get_or("SSL_CERT_FILE", "").empty();
}

std::optional<std::string> folder_of(const std::string& registry, const io::FileSystem& files,
                                     const io::Environment& environment) {
  for (auto& folder : folders(registry, environment)) {
    if (files.stat(folder).kind == io::FileKind::directory) {
      return folder;
    }
  }
  return std::nullopt;
}

bool is_meant(const RegistryTrust& trust, const std::string& registry) {
  return trust.host == registry || trust.host == base::split_once(registry, ':').first;
}

// The project's authorities for the registry; empty: none.
std::string ca_of(const std::string& registry, const std::vector<RegistryTrust>& trusts) {
  const auto found = std::ranges::find_if(
      trusts, [&](const RegistryTrust& trust) { return !trust.ca.empty() && is_meant(trust, registry); });
  return found == trusts.end() ? std::string() : found->ca;
}

}  // namespace

std::string system_authorities(const io::FileSystem& files, const io::Environment& environment) {
  const std::array<std::string, 4> places{environment.get_or("SSL_CERT_FILE", ""), "/etc/ssl/certs/ca-certificates.crt",
                                          "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
  const auto found = std::ranges::find_if(places, [&](const std::string& place) {
    return !place.empty() && files.stat(place).kind == io::FileKind::regular;
  });
  return found == places.end() ? std::string() : *found;
}

Result<std::shared_ptr<const http::TlsSettings>> tls_settings(const std::string& registry,
                                                              const std::vector<RegistryTrust>& trusts,
                                                              const io::FileSystem& files,
                                                              const io::Environment& environment) {
  const auto folder = folder_of(registry, files, environment);
  const auto ca = ca_of(registry, trusts);
  auto settings = std::make_shared<http::TlsSettings>();
  if (!folder && ca.empty() && !needs_system_authorities(*settings, environment)) {
    return std::shared_ptr<const http::TlsSettings>();
  }
  auto read = folder ? add_folder(*folder, files, *settings) : Status();
  if (read && !ca.empty()) {
    settings->ca_pem.clear();
    read = add_authority(ca, files, *settings);
  }
  if (read && needs_system_authorities(*settings, environment)) {
    read = add_system_authorities(files, environment, *settings);
  }
  if (!read) {
    return read.error().within("reading the certificates for {}", registry);
  }
  return std::shared_ptr<const http::TlsSettings>(std::move(settings));
}

std::vector<std::string> insecure_registries(const std::vector<RegistryTrust>& trusts,
                                             const io::Environment& environment) {
  std::vector<std::string> names;
  for (const auto& trust : trusts) {
    if (trust.is_insecure) {
      names.push_back(trust.host);
    }
  }
  const auto listed = environment.get_or("DEPLOYCTL_INSECURE_REGISTRIES", "");
  for (const auto part : base::split(listed, ',')) {
    if (const auto name = base::trim(part); !name.empty()) {
      names.emplace_back(name);
    }
  }
  return names;
}

bool names_registry(const std::vector<std::string>& names, const base::Url& registry) {
  const bool is_usual_port = registry.port == 0 || registry.port == 80 || registry.port == 443;
  return std::ranges::any_of(names, [&](const std::string& name) {
    const auto named = base::Url::parse("https://" + name);
    return named && named->host == registry.host &&
           (named->port == 0 ? is_usual_port : named->port == registry.effective_port());
  });
}

}  // namespace deployctl::registry
