#include "core/execute/schedule.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

namespace deployctl::execute {
namespace {

enum class State { waiting, running, done, failed };

// A rollout that is undecided and a stop on request say less than a failure with its cause.
bool says_much(const base::Error& error) {
  return error.code != base::ErrorCode::rollout_undecided && error.code != base::ErrorCode::interrupted;
}

// What the worker threads share; every member is guarded by the mutex.
class Board {
 public:
  Board(const std::vector<plan::Step>& steps, std::stop_token stop, KeepGoing keep_going, IsPause is_pause)
      : steps_(steps),
        states_(steps.size()),
        stop_(std::move(stop)),
        keep_going_(keep_going),
        is_pause_(std::move(is_pause)) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      place_of_[steps[i].id] = i;
    }
  }

  // The next step that may run, waiting for one; nothing when there will be none.
  std::optional<std::size_t> take() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (const auto step = startable()) {
        states_[*step] = State::running;
        return step;
      }
      if (std::ranges::find(states_, State::running) == states_.end()) {
        return std::nullopt;
      }
      changed_.wait(lock);
    }
  }

  void finish(std::size_t step, const base::Status& status) {
    const std::lock_guard lock(mutex_);
    states_[step] = status ? State::done : State::failed;
    if (!status) {
      obstacles_[steps_[step].id] = Obstacle{&steps_[step], status.error()};
      note(status.error());
    }
    changed_.notify_all();
  }

  ScheduleOutcome outcome() {
    const std::lock_guard lock(mutex_);
    ScheduleOutcome outcome;
    auto obstacles = obstacles_;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const auto& step = steps_[i];
      if (states_[i] == State::waiting) {
        auto first = first_of(step.after, obstacles);
        if (first) {
          obstacles[step.id] = *first;
        }
        outcome.left.push_back({&step, std::move(first)});
      }
    }
    const bool is_cut_short = std::ranges::any_of(outcome.left, [](const LeftStep& left) { return !left.behind; });
    if (failure_) {
      outcome.status = *failure_;
    } else if (stop_.stop_requested() && is_cut_short) {
      outcome.status = base::Error::interrupted();
    } else if (pause_) {
      outcome.status = *pause_;
    }
    return outcome;
  }

 private:
  void note(const base::Error& error) {
    if (is_pause_ && is_pause_(error)) {
      pause_ = pause_.value_or(error);
    } else if (!failure_ || (says_much(error) && !says_much(*failure_))) {
      failure_ = error;
    }
  }

  std::optional<std::size_t> startable() const {
    if (stop_.stop_requested()) {
      return std::nullopt;
    }
    const auto phase = current_phase();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const auto& step = steps_[i];
      const bool is_wanted =
          !failure_ || keep_going_ == KeepGoing::yes || step.after_failure == plan::AfterFailure::is_done;
      if (states_[i] == State::waiting && step.phase == phase && is_wanted && is_ready(step)) {
        return i;
      }
    }
    return std::nullopt;
  }

  // The earliest phase with a step that is not done.
  plan::Phase current_phase() const {
    auto phase = plan::Phase::cluster;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (states_[i] != State::done) {
        phase = std::min(phase, steps_[i].phase);
      }
    }
    return phase;
  }

  bool is_ready(const plan::Step& step) const {
    return std::ranges::all_of(step.after, [&](const std::string& id) {
      const auto place = place_of_.find(id);
      return place == place_of_.end() || states_[place->second] == State::done;
    });
  }

  using Obstacles = std::map<std::string_view, Obstacle>;  // by the ids of the steps that they hold back or are

  // Steps stand after those they come after, so that what held those back is known already.
  static std::optional<Obstacle> first_of(const std::vector<std::string>& after, const Obstacles& obstacles) {
    for (const auto& id : after) {
      if (const auto found = obstacles.find(id); found != obstacles.end()) {
        return found->second;
      }
    }
    return std::nullopt;
  }

  const std::vector<plan::Step>& steps_;
  std::map<std::string_view, std::size_t> place_of_;
  std::vector<State> states_;
  Obstacles obstacles_;
  std::optional<base::Error> failure_;
  std::optional<base::Error> pause_;
  std::stop_token stop_;
  KeepGoing keep_going_;
  IsPause is_pause_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

// "api", "the task migrate of api", "prune configmap/old"
std::string name_of(const plan::Step& step) {
  if (const auto* task = std::get_if<plan::RunTask>(&step.action)) {
    return fmt::format("the task {} of {}", task->task, step.service);
  }
  return step.service.empty() ? plan::title(step) : step.service;
}

}  // namespace

std::string why_left(const LeftStep& left, const base::Status& run, const std::vector<std::string>& paused) {
  const auto& behind = left.behind;
  const auto ended = behind ? base::Status(behind->error) : run;
  if (ended) {
    return {};
  }
  if (ended.error().code == base::ErrorCode::interrupted) {
    return "the run was stopped";
  }
  const bool is_paused = std::ranges::find(paused, ended.error().message) != paused.end();
  if (!behind) {
    return is_paused ? "the release stays open: " + ended.error().message : "";
  }
  return name_of(*behind->step) + (is_paused ? " is paused" : " failed");
}

ScheduleOutcome run_steps(const std::vector<plan::Step>& steps, unsigned parallel, const StepStart& start,
                          std::stop_token stop, KeepGoing keep_going, IsPause is_pause) {
  Board board(steps, std::move(stop), keep_going, std::move(is_pause));
  const auto work = [&] {
    while (const auto step = board.take()) {
      start(steps[*step], [&board, place = *step](const base::Status& status) { board.finish(place, status); });
    }
  };
  {
    std::vector<std::jthread> workers;
    const auto count = std::min<std::size_t>(parallel, steps.size());
    for (std::size_t i = 1; i < count; ++i) {
      workers.emplace_back(work);
    }
    work();
  }
  return board.outcome();
}

}  // namespace deployctl::execute
