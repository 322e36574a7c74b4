#include "core/execute/world.hpp"

#include "core/registry/patience.hpp"
#include "core/registry/trust.hpp"

#include <algorithm>

namespace deployctl::execute {

namespace {

registry::ClientOptions client_options(const Ports& ports) {
  const auto warn = [&events = ports.events](const std::string& text) {
    events.emit(events::Note{events::Note::Level::warning, text});
  };
  const auto patience = registry::patience(ports.environment);
  std::ranges::for_each(patience.remarks, warn);
  const auto tls = [&files = ports.files, &environment = ports.environment](const std::string& name) {
    return registry::tls_settings(name, files, environment);
  };
  return {.insecure_registries = registry::insecure_registries(ports.environment),
          .tls = tls,
          .retry = patience.retry,
          .timeouts = patience.timeouts,
          .on_notice = warn};
}

}  // namespace

RegistryAccess::RegistryAccess(const Ports& ports)
    : credentials(ports.files, ports.environment, ports.processes),
      client({ports.transport, ports.clock, credentials, ports.open_file}, client_options(ports)) {}

std::unique_ptr<RegistryAccess> open_registry(const Ports& ports) {
  return std::make_unique<RegistryAccess>(ports);
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
