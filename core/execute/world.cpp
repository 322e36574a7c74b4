#include "core/execute/world.hpp"

#include "core/registry/patience.hpp"
#include "core/registry/trust.hpp"

#include <algorithm>

namespace deployctl::execute {

RegistryTrusts trusts_of(const project::Target& target) {
  RegistryTrusts trusts;
  for (const auto& trust : target.registries) {
    trusts.push_back({.host = *trust.host,
                      .is_insecure = trust.is_insecure,
                      .ca = trust.ca.empty() ? std::string() : io::join_path(target.directory, trust.ca)});
  }
  return trusts;
}

registry::ClientOptions registry_options(const Ports& ports, RegistryTrusts trusts) {
  const auto warn = [&events = ports.events](const std::string& text) {
    events.emit(events::Note{events::Note::Level::warning, text});
  };
  const auto patience = registry::patience(ports.environment);
  std::ranges::for_each(patience.remarks, warn);
  auto insecure = registry::insecure_registries(trusts, ports.environment);
  auto tls = [&files = ports.files, &environment = ports.environment, trusts = std::move(trusts)](
                 const std::string& name) { return registry::tls_settings(name, trusts, files, environment); };
  return {.insecure_registries = std::move(insecure),
          .tls = std::move(tls),
          .retry = patience.retry,
          .timeouts = patience.timeouts,
          .on_notice = warn};
}

RegistryAccess::RegistryAccess(const Ports& ports, RegistryTrusts trusts)
    : credentials(ports.files, ports.environment, ports.processes),
      client({ports.transport, ports.clock, credentials, ports.open_file}, registry_options(ports, std::move(trusts))) {
}

std::unique_ptr<RegistryAccess> open_registry(const project::Target& target, const Ports& ports) {
  return std::make_unique<RegistryAccess>(ports, trusts_of(target));
}

std::unique_ptr<RegistryAccess> open_registry(const Ports& ports) {
  return std::make_unique<RegistryAccess>(ports, RegistryTrusts());
}

std::string cache_directory(const io::Environment& environment) {
  return environment.get_or("XDG_CACHE_HOME", environment.home_directory() + "/.cache") + "/deployctl";
}

oci::ImageStore open_image_store(const io::Environment& environment) {
  return oci::ImageStore(cache_directory(environment));
}

std::string pinned(const std::string& reference, const oci::Digest& digest) {
  return reference.substr(0, reference.find('@')) + "@" + digest.text();
}

}  // namespace deployctl::execute
