// Putting tasks into a plan that was made of a recorded release, which has none.
#pragma once

#include "core/plan/plan.hpp"

#include <string>
#include <vector>

namespace deployctl::plan {

// Of one service, in the order they run in.
struct ServiceTasks {
  std::vector<RunTask> before;     // the rollout
  std::vector<RunTask> after;      // it
  std::vector<RunTask> contracts;  // when all is done and the old pods are gone
};

// The tasks before and after the rollout, where a release of the project manifest has them; before a canary is put in
// (plan/canary.hpp). Nothing where the plan does not roll the service out.
void add_tasks(Plan& plan, const std::string& service, const ServiceTasks& tasks);

// After everything else of the plan.
void add_contracts(Plan& plan, const std::string& service, const ServiceTasks& tasks);

}  // namespace deployctl::plan
