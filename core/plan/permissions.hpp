// Which rights in the cluster carrying out a plan takes: read from the plan itself.
#pragma once

#include "core/kube/permission.hpp"
#include "core/plan/plan.hpp"

#include <string>
#include <vector>

namespace deployctl::plan {

struct NeededPermission {
  kube::Permission permission;
  std::string purpose;  // "to apply deployment/api", "to watch the rollout"

  friend bool operator==(const NeededPermission&, const NeededPermission&) = default;
};

// Each permission once, with the first purpose it is needed for, in the order of the plan.
std::vector<NeededPermission> needed_permissions(const Plan& plan);

}  // namespace deployctl::plan
