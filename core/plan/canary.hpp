// Putting a canary into a plan: whether the plan is of the project manifest or of a recorded release.
#pragma once

#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::plan {

// The service's Deployment waits for its canary. What leads requests to its pods, and what scales them, stays with the
// canary until they are rolled out; then the canary goes, and only after that what depends on the service begins.
// Nothing where the plan does not roll the service out.
void add_canary(Plan& plan, const std::string& service, const project::Canary& settings);

}  // namespace deployctl::plan
