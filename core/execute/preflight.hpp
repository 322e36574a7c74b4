// Before the first write: gathers what plan::preflight decides about, with few requests, independent ones at once.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/ports.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::execute {

// What we may do in the namespace, for Seen::access; nothing when the server does not tell: then preflight asks for
// each permission by itself. unreachable when it does not answer.
base::Result<std::optional<kube::AccessRules>> read_access(cluster::Client& client, const std::string& name_space,
                                                           std::stop_token stop);

struct PreflightOptions {
  cluster::Force force = cluster::Force::no;  // fields that others manage will be taken over
  std::vector<std::string> services = {};     // that the run is about; empty: all
};

// Success when nothing is known that would keep the plan from succeeding; what only may go wrong becomes a warning.
// Otherwise one error with all findings (plan::to_error), and nothing has been written. A cluster that does not answer
// is an error of its own. Remembers in `seen` the versions of the live objects, so that applying them need not ask, and
// the node ports that move.
base::Status preflight(const plan::Plan& plan, const project::Target& target, Seen& seen,
                       const PreflightOptions& options, const Ports& ports);

}  // namespace deployctl::execute
