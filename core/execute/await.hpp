// Watching rollouts to their end and telling it as events: what `rollout`, `undo` and `restart` end with.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/rollout_watch.hpp"
#include "core/execute/ports.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace deployctl::execute {

struct AwaitOptions {
  std::chrono::milliseconds deadline{300'000};
  bool is_unchanged = false;  // nothing was changed: workloads that are done are told as unchanged
};

// Waits for every workload the watch follows. Success when all are done; rollout_failed with the cause of the first
// that is broken, rollout_undecided with what was being waited for at the deadline, interrupted after Ctrl-C.
base::Status await_rollouts(cluster::RolloutWatch& watch, const std::vector<std::string>& services,
                            const AwaitOptions& options, const Ports& ports);

}  // namespace deployctl::execute
