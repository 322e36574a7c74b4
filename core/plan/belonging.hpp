// Whose a workload is that stands where ours is to be.
#pragma once

#include "core/base/result.hpp"
#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::plan {

// The environment that its labels say it was made for, when that is not the target's; empty when it is, or there is
// none.
std::string other_environment(const kube::Object& live, const project::Target& target);

// refused when its labels say that deployctl made it for another project or another environment of this one, which a
// rollout would put out of service. Made for no environment in particular, it may become one's.
base::Status check_belonging(const project::Target& target, const kube::Object& live);

}  // namespace deployctl::plan
