// Deleting what the project no longer has.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/plan/plan.hpp"

#include <string>
#include <vector>

namespace deployctl::execute {

// Deletes the object when it is ours (plan::why_not_pruned), exactly as it was seen to be: a change in between is
// looked at again. An ObjectApplied event tells it; one that stays is told with the reason, unless it is another
// service's than those of the step. Success when it is not there.
base::Status prune_object(cluster::Client& client, const plan::PruneObject& prune, const project::Target& target,
                          const std::string& step, const Ports& ports);

// Notes what stays of the project with the data it holds (plan::kept_claims), as far as it is there.
void tell_kept_claims(cluster::Client& client, const std::vector<kube::ObjectKey>& claims, const Ports& ports);

}  // namespace deployctl::execute
