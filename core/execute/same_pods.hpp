// Whether a release would replace the pods that run: what canaries and second sides are there for.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/images.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/object.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <stop_token>
#include <vector>

namespace deployctl::execute {

// Whether the pods of `live` would stay as they are if `wanted`, of the same name, were applied to it by force. Asks
// the server, which fills defaults in as it has in the live object: one dry run.
base::Result<bool> keeps_pods(cluster::Client& client, const kube::Object& wanted, const kube::Object& live,
                              std::stop_token stop);

// Whether a canary or a second side among the steps would have new pods to show. Where the server tries nothing out
// that counts as yes; where there are no pods yet as no. For each such service what is live is read and one dry run
// made.
base::Result<bool> has_pods_to_try(const std::vector<plan::Step>& steps, const Images& images, cluster::Client& client,
                                   const project::Target& target, const Ports& ports);

}  // namespace deployctl::execute
