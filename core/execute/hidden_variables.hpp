// What is said of variables that hide those of the project (kube/hidden_variables.hpp).
#pragma once

#include "core/base/error.hpp"
#include "core/kube/hidden_variables.hpp"

#include <vector>

namespace deployctl::execute {

// conflict: which ones, whose and since when, and what to do.
base::Error hidden_variables_error(const kube::Object& workload, const std::vector<kube::HiddenVariable>& hidden);

}  // namespace deployctl::execute
