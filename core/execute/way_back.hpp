// How a run ends whose steps did not all succeed: left as it is, or with the way back to the release before.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/release_run.hpp"

namespace deployctl::execute {

// Records how it ended, and goes back where the options say so; `cause` is what stopped the steps. Returns what the run
// ends with: success when all that is left waits for `deployctl promote`, undo_failed when the way back failed too, and
// else the cause.
base::Status end_badly(ReleaseRun& run, const base::Error& cause);

}  // namespace deployctl::execute
