// Changes to what runs already, without a new release: undo and restart.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// Goes back to revision `to` (nothing: the one before the current) and watches until it is done.
base::Status undo_rollout(cluster::Client& client, const project::Target& target, const project::Service& service,
                          std::optional<long long> to, std::chrono::milliseconds deadline, const Ports& ports);

// Replaces every pod of the services and watches until it is done.
base::Status restart_services(cluster::Client& client, const project::Target& target,
                              const std::vector<const project::Service*>& services, std::chrono::milliseconds deadline,
                              const Ports& ports);

}  // namespace deployctl::execute
