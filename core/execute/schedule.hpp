// Running the steps of a plan: phase by phase, within one each as soon as all it comes after have succeeded, several at
// once.
#pragma once

#include "core/base/result.hpp"
#include "core/plan/plan.hpp"

#include <functional>
#include <stop_token>
#include <vector>

namespace deployctl::execute {

struct ScheduleOutcome {
  base::Status status;                         // the first failure; interrupted when `stop` was requested
  std::vector<const plan::Step*> not_started;  // in the plan's order
};

// Calls `run` for the steps from at most `parallel` threads and returns when none runs any more. After a failure or a
// stop request no further step is started; those that run are waited for.
ScheduleOutcome run_steps(const std::vector<plan::Step>& steps, unsigned parallel,
                          const std::function<base::Status(const plan::Step&)>& run, std::stop_token stop);

}  // namespace deployctl::execute
