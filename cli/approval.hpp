// Asking before a change: where the project manifest says so (`approval: manual`), or where nothing brings back what is
// gone.
#pragma once

#include "core/base/result.hpp"
#include "core/project/model.hpp"

#include <string_view>

namespace deployctl::cli {

class Runtime;

// Success when the environment needs no approval, --yes was given, or the user answers yes on a terminal. refused
// otherwise; without a terminal nobody is asked.
base::Status approve(Runtime& runtime, const project::Target& target, bool yes, std::string_view what);

// The same for anything: `what` is shown as a question, "deleting team/api:v1".
base::Status confirm(Runtime& runtime, std::string_view what, bool yes);

}  // namespace deployctl::cli
