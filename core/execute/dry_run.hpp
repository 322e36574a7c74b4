// Asking the API server what applying the desired objects would change.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/plan/release.hpp"
#include "core/project/model.hpp"

#include <vector>

namespace deployctl::execute {

// Fills observation.expected for every object of the services, one dry-run apply each, and observation.moved_ports. In
// a namespace that does not exist yet everything is created, without asking. `named` are the services when the run is
// not about all.
base::Status dry_run(const project::Target& target, const std::vector<const project::Service*>& services,
                     const std::vector<std::string>& named, plan::Observation& observation, cluster::Client& client,
                     const Ports& ports);

}  // namespace deployctl::execute
