// Watching rollouts to their end and telling it as events: those of a run, one by one as it comes to them, and all at
// once for `undo` and `restart`.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/rollout_watch.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

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

// What happens to a Job that is followed; called from the thread of the rollouts.
struct JobObserver {
  std::function<void(const kube::PodStarted&)> on_pod;
  // Called once, with an error when it cannot be watched.
  std::function<void(const base::Result<kube::RolloutOutcome>&)> on_end;
};

enum class WithJobs { no, yes };

// Of services that have patience of their own with some rules.
using PatienceByService = std::map<std::string, kube::verdict::Patience>;
PatienceByService patience_of(const project::Target& target);

// The rollouts and tasks of one run. However many there are, they share one RolloutWatch and one thread.
class Rollouts {
 public:
  // Success, or the error that await_rollouts() would give for this one alone. Called once.
  using Done = std::function<void(base::Status)>;

  // Connects the watches; neither what has been applied nor what is applied afterwards is missed.
  Rollouts(cluster::Client& client, const std::string& name_space, WithJobs with_jobs,
           cluster::AskRegistry ask_registry, PatienceByService patience, const Ports& ports);
  // Waits for those that are followed.
  ~Rollouts();
  Rollouts(const Rollouts&) = delete;
  Rollouts& operator=(const Rollouts&) = delete;

  // Tells the rollout as the step "rollout:<service>" and calls `done` when it is decided: from the thread of the
  // rollouts, or from this one when they cannot be watched any more. The deadline counts from now.
  void follow(kube::RolloutTarget target, const AwaitOptions& options, Done done);

  // Tells the findings about a Job as those of the step; beginning and end of the step are the caller's to tell.
  void follow_job(const kube::Object& job, const std::string& step, const std::string& service,
                  std::chrono::milliseconds deadline, JobObserver observer);

 private:
  // One that is followed.
  struct Entry {
    std::string service;
    std::function<void(const kube::RolloutStatus&)> on_status;
    JobObserver observer;
  };

  void add(const std::string& step, Entry entry, kube::RolloutTarget target, std::chrono::milliseconds deadline);
  void run();
  cluster::RolloutObserver observer();
  // A copy of what is followed as that step, to be called without the lock.
  std::optional<Entry> find(const std::string& step);
  void end(const kube::RolloutOutcome& outcome);
  void end_all(const base::Error& why);

  const Ports& ports_;
  const PatienceByService patience_;
  cluster::RolloutWatch watch_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // by step
  std::optional<base::Error> over_;       // why nothing is watched any more
  std::jthread thread_;
};

}  // namespace deployctl::execute
