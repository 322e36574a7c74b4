#include "core/execute/schedule.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

namespace deployctl::execute {
namespace {

enum class State { waiting, running, done };

// What the worker threads share; every member is guarded by the mutex.
class Board {
 public:
  Board(const std::vector<plan::Step>& steps, std::stop_token stop)
      : steps_(steps), states_(steps.size()), stop_(std::move(stop)) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      place_of_[steps[i].id] = i;
    }
  }

  // The next step that may run, waiting for one; nothing when there will be none.
  std::optional<std::size_t> take() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (failure_ || stop_.stop_requested()) {
        return std::nullopt;
      }
      const auto phase = current_phase();
      for (std::size_t i = 0; i < steps_.size(); ++i) {
        if (states_[i] == State::waiting && steps_[i].phase == phase && is_ready(steps_[i])) {
          states_[i] = State::running;
          return i;
        }
      }
      if (std::ranges::none_of(states_, [](State state) { return state == State::running; })) {
        return std::nullopt;
      }
      changed_.wait(lock);
    }
  }

  void finish(std::size_t step, const base::Status& status) {
    const std::lock_guard lock(mutex_);
    states_[step] = State::done;
    if (!status && !failure_) {
      failure_ = status.error();
    }
    changed_.notify_all();
  }

  ScheduleOutcome outcome() {
    const std::lock_guard lock(mutex_);
    ScheduleOutcome outcome;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (states_[i] == State::waiting) {
        outcome.not_started.push_back(&steps_[i]);
      }
    }
    if (failure_) {
      outcome.status = *failure_;
    } else if (stop_.stop_requested() && !outcome.not_started.empty()) {
      outcome.status = base::Error::interrupted();
    }
    return outcome;
  }

 private:
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

  const std::vector<plan::Step>& steps_;
  std::map<std::string_view, std::size_t> place_of_;
  std::vector<State> states_;
  std::optional<base::Error> failure_;
  std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace

ScheduleOutcome run_steps(const std::vector<plan::Step>& steps, unsigned parallel,
                          const std::function<base::Status(const plan::Step&)>& run, std::stop_token stop) {
  Board board(steps, std::move(stop));
  const auto work = [&] {
    while (const auto step = board.take()) {
      board.finish(*step, run(steps[*step]));
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
