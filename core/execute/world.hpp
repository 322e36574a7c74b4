// The servers and programs a run talks to, connected once and shared by all its steps.
#pragma once

#include "core/cluster/client.hpp"
#include "core/engine/engine.hpp"
#include "core/registry/client.hpp"

#include <memory>

namespace deployctl::execute {

// What a run does not need stays null.
struct World {
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<registry::Client> registry;
  std::unique_ptr<cluster::Client> cluster;
};

}  // namespace deployctl::execute
