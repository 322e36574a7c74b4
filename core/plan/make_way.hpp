// What is pruned before the rest is done, because it would be in its way: pure. Everything else is pruned last.
#pragma once

#include "core/plan/plan.hpp"

#include <vector>

namespace deployctl::plan {

// Puts into `steps` those of `prunes` that must not wait, right before what they make way for: the autoscaler of a
// workload that has replicas of its own again, and would lose them to it. Answers with the other prunes.
std::vector<Step> make_way(std::vector<Step>& steps, std::vector<Step> prunes);

}  // namespace deployctl::plan
