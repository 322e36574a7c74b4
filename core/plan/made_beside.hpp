// What a run writes besides the objects that the steps of its plan name: those of a canary, and the Deployment of the
// side that a blue-green release goes to. Pure; for trying them out before the first write.
#pragma once

#include "core/generate/sides.hpp"
#include "core/kube/object.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/preflight.hpp"

#include <map>
#include <string>
#include <vector>

namespace deployctl::plan {

struct MadeBeside {
  kube::Object object;
  bool is_ours_alone = false;  // it exists for the canary: whoever has changed it, it is written
  std::string service = {};
  int most_pods = 0;  // of a Deployment, at the canary's largest share
};

// In the order in which they are written. `live_sides` are those of the services that have a green Deployment; of what
// is known of the cluster, the live Deployments and what their dry runs have told count: pods that stay as they are
// need no second Deployment. A canary's routes stand for all its weights.
std::vector<MadeBeside> made_beside(const Plan& plan, const std::map<std::string, generate::Side>& live_sides,
                                    const PreflightFacts& facts);

}  // namespace deployctl::plan
