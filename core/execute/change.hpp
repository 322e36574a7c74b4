// Changes to what runs already, without a new release: restart.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/lock.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <chrono>
#include <vector>

namespace deployctl::execute {

struct RestartOptions {
  std::chrono::milliseconds deadline{300'000};
  std::chrono::milliseconds lock_timeout{600'000};
};

// Replaces every pod of the services, under the project's lock, and watches until it is done. refused, with no pod
// touched, when the newest release was interrupted (one that a killed run has left pending is marked so), when one of
// the services has a canary or a new side in it that waits, and when one is another project's or environment's.
base::Status restart_services(cluster::Client& client, const project::Target& target,
                              const std::vector<const project::Service*>& services, const RestartOptions& options,
                              const Ports& ports);

}  // namespace deployctl::execute
