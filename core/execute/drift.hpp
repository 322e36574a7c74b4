// Live against wanted: what differs in the cluster from what the project manifest says, and who changed it. Changes
// nothing.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/object_drift.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <string>
#include <vector>

namespace deployctl::execute {

struct Drift {
  std::vector<Difference> differences;
  std::vector<Removal> removals;  // what takes out what was added, object by object
  std::string open;               // what waits or is under way of the newest release, in words; empty: nothing
};

// Of the services, in their order. Images, tag and commit are those of the newest release that was deployed; without
// one, those that run. Values that the server sets by itself are no difference, nor are replicas that an autoscaler
// has, nor what a canary that is open has made and leads requests with.
base::Result<Drift> find_differences(const project::Target& target, const std::vector<std::string>& services,
                                     const Ports& ports);

}  // namespace deployctl::execute
