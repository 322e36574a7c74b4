// The part of preflight that is about who leads requests to the pods.
#pragma once

#include "core/base/error.hpp"
#include "core/cluster/client.hpp"
#include "core/kube/object.hpp"
#include "core/plan/plan.hpp"

#include <map>
#include <stop_token>

namespace deployctl::execute {

// What is missing for the routes of the plan, by the object that would not work without it. Routes are of kinds that a
// cluster need not have, and a canary's Ingress is nothing without that of the stable pods. Asks nothing for a plan
// without routes.
std::map<kube::ObjectKey, base::Error> router_refusals(const plan::Plan& plan, bool namespace_exists,
                                                       cluster::Client& client, std::stop_token stop);

}  // namespace deployctl::execute
