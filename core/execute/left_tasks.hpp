// The Jobs of tasks that a run which was stopped or killed has left behind. Those that have not begun wait for an image
// or a Secret, and would run as soon as that comes, whatever release is live by then. Those that have begun are at
// work.
#pragma once

#include "core/cluster/client.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/object.hpp"

#include <vector>

namespace deployctl::execute {

// Of those that run none of `wanted`, the Jobs of the run that is to begin (without their number): takes those away
// that have not begun, and waits for those that are at work for a service that has tasks in this run, because two of
// one service never run at once. The others are told: nobody kills a migration. An error when one does not end within
// its own time (refused) or the run is stopped meanwhile; what else cannot be told or done becomes a warning.
base::Status settle_left_tasks(cluster::Client& client, const LedgerScope& scope,
                               const std::vector<kube::Object>& wanted, const Ports& ports);

}  // namespace deployctl::execute
