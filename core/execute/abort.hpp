// Taking back what waits or is under way of a release: from any machine, with nothing but the cluster.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace deployctl::execute {

struct AbortOptions {
  std::vector<std::string> services;  // empty: all that have a canary under way
  std::chrono::milliseconds lock_timeout{600'000};
};

// Takes the canaries back, by the run that walks them or here, lets the new sides go, and marks the release as failed
// when nothing else of it is open: what was promoted or rolled out of it then stays, as a release of its own. not_found
// when nothing of the services waits or is under way; refused when a canary is being promoted.
base::Status abort_release(cluster::Client& client, const project::Target& target, const AbortOptions& options,
                           const Ports& ports);

}  // namespace deployctl::execute
