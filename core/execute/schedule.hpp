// Running the steps of a plan: phase by phase, within one each as soon as all it comes after have succeeded, several at
// once.
#pragma once

#include "core/base/result.hpp"
#include "core/plan/plan.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::execute {

// A step that ended otherwise than well, and with what.
struct Obstacle {
  const plan::Step* step = nullptr;
  base::Error error;
};

// A step that was not started, and what held it back; nothing when the run just ended before.
struct LeftStep {
  const plan::Step* step = nullptr;
  std::optional<Obstacle> behind;
};

struct ScheduleOutcome {
  base::Status status;         // the failure that says most, or a pause; interrupted when `stop` was requested
  std::vector<LeftStep> left;  // in the plan's order
};

// Why it was not started, for the way the run ended: "the task migrate of api failed", "api is paused"; `paused` are
// the messages of steps that wait for somebody. Empty when a step failed that it has nothing to do with.
std::string why_left(const LeftStep& left, const base::Status& run, const std::vector<std::string>& paused);

// What a step came to; called once, from any thread, also after the call that started the step has returned.
using StepDone = std::function<void(base::Status)>;
using StepStart = std::function<void(const plan::Step&, StepDone done)>;

// Whether steps are begun that do not come after one that has failed.
enum class KeepGoing { no, yes };

// Whether a step that ended so waits for somebody: what comes after it is not begun, and everything else is. Called
// from one thread at a time.
using IsPause = std::function<bool(const base::Error&)>;

// Calls `start` for the steps from at most `parallel` threads and returns when none runs any more. A step that only
// waits gives its thread back and calls `done` later, so that any number of them can wait.
//
// After a failure nothing new is begun: of the steps that do not come after it, only those are started that end what
// was begun (plan::AfterFailure), or all with KeepGoing::yes. After a stop request no step is started at all. Steps
// that run are waited for.
ScheduleOutcome run_steps(const std::vector<plan::Step>& steps, unsigned parallel, const StepStart& start,
                          std::stop_token stop, KeepGoing keep_going = KeepGoing::no, IsPause is_pause = {});

}  // namespace deployctl::execute
