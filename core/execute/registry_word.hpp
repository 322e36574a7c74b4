// What a registry itself says about an image that a node cannot pull: its word settles what the node's cannot.
#pragma once

#include "core/cluster/client.hpp"
#include "core/cluster/rollout_watch.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::execute {

// Asks with the pull secrets of the target's pods. Nothing when the registry cannot be reached from here, or refuses
// without having been shown a pull secret: a node may have credentials of its own. All but the name must outlive it.
cluster::AskRegistry registry_word(cluster::Client& client, std::string name_space, const project::Target& target,
                                   const Ports& ports);

}  // namespace deployctl::execute
