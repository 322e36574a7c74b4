// Watching rollouts to their end and telling it as events: those of a run, one by one as it comes to them, and all at
// once for `undo` and `restart`.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/rollout_watch.hpp"
#include "core/execute/ports.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
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

// The rollouts of one run. However many there are, they share one RolloutWatch and one thread.
class Rollouts {
 public:
  // Success, or the error that await_rollouts() would give for this one alone. Called once.
  using Done = std::function<void(base::Status)>;

  // Connects the watches; what is applied afterwards is not missed.
  Rollouts(cluster::Client& client, const std::string& name_space, const Ports& ports);
  // Waits for those that are followed.
  ~Rollouts();
  Rollouts(const Rollouts&) = delete;
  Rollouts& operator=(const Rollouts&) = delete;

  // Tells the rollout as the step "rollout:<service>" and calls `done` when it is decided: from the thread of the
  // rollouts, or from this one when they cannot be watched any more. The deadline counts from now.
  void follow(kube::RolloutTarget target, const AwaitOptions& options, Done done);

 private:
  struct Entry;

  void run();
  void end(const kube::RolloutOutcome& outcome);
  void end_all(const base::Status& why);

  const Ports& ports_;
  cluster::RolloutWatch watch_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // by service
  std::optional<base::Status> over_;      // why nothing is watched any more
  std::jthread thread_;
};

}  // namespace deployctl::execute
