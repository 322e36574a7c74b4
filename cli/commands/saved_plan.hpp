// `rollout --plan FILE`: reading a saved plan and making sure that what is about to be done is that plan and no other.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/observe.hpp"
#include "core/plan/saved.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::cli {

class Runtime;

// invalid_input for a file that is no saved plan; refused when it is of another project, environment or namespace, or
// has not the digest that is approved (`approved` empty: any).
base::Result<plan::SavedPlan> read_plan_file(Runtime& runtime, const std::string& path, const project::Target& target,
                                             const std::string& approved);

// refused when the plan made now is another one than the saved, the cluster is another one, or what the plan touches
// has changed there since.
base::Status check_saved_plan(const plan::SavedPlan& saved, const plan::Plan& now, const execute::Seen& seen);

}  // namespace deployctl::cli
