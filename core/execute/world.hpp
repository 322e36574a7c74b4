// The servers and programs a run talks to, connected once and shared by all its steps.
#pragma once

#include "core/cluster/client.hpp"
#include "core/engine/engine.hpp"
#include "core/execute/ports.hpp"
#include "core/oci/image_store.hpp"
#include "core/project/model.hpp"
#include "core/registry/client.hpp"
#include "core/registry/trust.hpp"

#include <memory>
#include <string>
#include <vector>

namespace deployctl::execute {

using RegistryTrusts = std::vector<registry::RegistryTrust>;

// A registry client with the user's credentials.
struct RegistryAccess {
  RegistryAccess(const Ports& ports, RegistryTrusts trusts);

  registry::UserCredentials credentials;
  registry::Client client;
};

// What a run does not need stays null.
struct World {
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<RegistryAccess> registry;
  std::unique_ptr<cluster::Client> cluster;
};

// With what a project says of its registries, or without a project.
std::unique_ptr<RegistryAccess> open_registry(const project::Target& target, const Ports& ports);
std::unique_ptr<RegistryAccess> open_registry(const Ports& ports);

// How registries are spoken to: what the user's environment says of patience, trust and insecure ones.
registry::ClientOptions registry_options(const Ports& ports, RegistryTrusts trusts);
// What the project manifest says of registries.
RegistryTrusts trusts_of(const project::Target& target);

// $XDG_CACHE_HOME/deployctl or ~/.cache/deployctl.
std::string cache_directory(const io::Environment& environment);

// The user's cache of compressed layers, in the cache directory.
oci::ImageStore open_image_store(const io::Environment& environment);

// "repository:tag@sha256:…" for a reference as the user wrote it.
std::string pinned(const std::string& reference, const oci::Digest& digest);

}  // namespace deployctl::execute
