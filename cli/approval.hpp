// Asking before a change where the project manifest says so (`approval: manual`).
#pragma once

#include "core/base/result.hpp"
#include "core/project/model.hpp"

#include <string_view>

namespace deployctl::cli {

class Runtime;

// Success when the environment needs no approval, --yes was given, or the user answers yes on a terminal. refused
// otherwise; without a terminal nobody is asked.
base::Status approve(Runtime& runtime, const project::Target& target, bool yes, std::string_view what);

}  // namespace deployctl::cli
