// The Jobs of tasks that a run which was killed has left behind, and that have not begun: they wait for an image or a
// Secret, and would run as soon as that comes, whatever release is live by then.
#pragma once

#include "core/cluster/client.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/object.hpp"

#include <vector>

namespace deployctl::execute {

// Takes those away that run none of `wanted`, the Jobs of the run that is to begin (without their number). One of which
// a container has begun is left alone: nobody kills a migration. What cannot be told or done becomes a warning.
void take_left_tasks_away(cluster::Client& client, const LedgerScope& scope, const std::vector<kube::Object>& wanted,
                          const Ports& ports);

}  // namespace deployctl::execute
