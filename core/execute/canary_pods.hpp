// Waiting for the pods of a canary.
#pragma once

#include "core/execute/canary.hpp"

#include <string>

namespace deployctl::execute {

// Follows the pods of the canary's Deployment, as it was applied or read, until they are ready: "" then, and the reason
// when they never will be. unreachable when what they are doing cannot be seen.
base::Result<std::string> await_canary_pods(const CanaryRun& run, const kube::Object& deployment);

}  // namespace deployctl::execute
