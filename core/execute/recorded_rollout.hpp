// The bracket around everything a run does to a cluster: lock, order of commits, record, the steps, and how it ended.
//
// A run that is killed anywhere in it leaves a pending record and a lock that lapses. The next run takes the lock over,
// marks the record interrupted and makes its own desired state true, so that nothing of the killed one remains.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/halt.hpp"
#include "core/execute/images.hpp"
#include "core/execute/journal.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/lock.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/ports.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// What becomes of the cluster when a rollout has failed. undo: the release before it is applied again. stop: nothing
// further is begun, and what there is stays. keep: the same, but what does not depend on the failure is still rolled
// out.
enum class OnFailure { undo, stop, keep };

// What becomes of the cluster when somebody stops the run after it has begun to change it. leave: what there is stays
// for the next run to make good for. undo: the release before it is applied again, whatever has been asked to stop.
enum class OnInterrupt { leave, undo };

struct RecordOptions {
  std::string action;  // "rollout", "undo to release 3": for history and for those who wait for the lock
  OnFailure on_failure = OnFailure::stop;
  OnInterrupt on_interrupt = OnInterrupt::leave;
  OlderCommits older_commits = OlderCommits::refused;
  std::chrono::milliseconds lock_timeout{600'000};
  // The run is about some services only: what the live release has of the others belongs to the new one too.
  bool is_partial = false;
  // What was compared with the cluster before the lock was taken (a saved plan) is carried out exactly, or not at all:
  // refused when another run was at work since.
  bool is_exact = false;
  // Asked again under the lock, where what the run does depends on the releases before it; null: it does not.
  std::function<base::Status()> is_still_meant;
  // The release that this run goes on with (`promote`): refused when it does not wait any more.
  std::optional<long long> continues;
  // Services of that release that it is about by name (none: all): refused when one of them was taken back.
  std::vector<std::string> promoted;
};

// A run's release while it is being rolled out. Without a number nothing is recorded: the live release says the same.
struct OpenRelease {
  Ledger& ledger;
  Lock& lock;
  long long number = 0;
  Journal* journal = nullptr;
  CanaryRecord* canaries = nullptr;
  const kube::Release* live = nullptr;  // what the cluster was before, where a step asks for it; null: nothing
  // To be called before a task ("api/clean-up") is begun that no release before it can live with.
  std::function<base::Status(const std::string& task)> note_contract;
  bool is_overtaken = false;        // somebody else has changed a workload since it was applied
  std::vector<std::string> paused;  // what steps say that wait for `deployctl promote`; the release stays open for them
};

// Carries out steps, all of them of the cluster phase; without a release before there is a lock. The ports say what
// stops them, and live until the rollout has ended.
using RunSteps = std::function<base::Status(const std::vector<plan::Step>&, OpenRelease*, const Ports&)>;

struct Rollout {
  const plan::Plan& plan;
  const project::Target& target;
  Seen& seen;
  const Images& images;  // all that the plan's objects name
  const RecordOptions& options;
  const std::string& tool_version;  // of deployctl
  const RunSteps& run;
  Halt& halt;
  const Ports& ports;  // which stop when `halt` says so
};

// Runs the plan's steps of the cluster phase in that bracket. The status is that of the steps; what went wrong besides
// is told as notes. refused when the lock cannot be had or was lost, or the commit is older than what is live.
base::Status roll_out_recorded(const Rollout& rollout);

}  // namespace deployctl::execute
