#include "core/execute/recorded_rollout.hpp"

#include "core/base/duration.hpp"
#include "core/execute/actor.hpp"
#include "core/execute/commit_order.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/left_behind.hpp"
#include "core/execute/prune.hpp"
#include "core/execute/release_record.hpp"
#include "core/execute/release_run.hpp"
#include "core/execute/same_pods.hpp"
#include "core/execute/task_step.hpp"
#include "core/execute/way_back.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/make_way.hpp"
#include "core/plan/prune.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Status;
using events::Note;
using kube::ReleaseState;
using kube::ReleaseSummary;

bool is_namespace(const plan::Step& step) {
  const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
  return apply != nullptr && apply->object.kind() == "Namespace";
}

bool is_prune(const plan::Step& step) {
  return std::holds_alternative<plan::PruneObject>(step.action);
}

class RecordedRollout {
 public:
  explicit RecordedRollout(const Rollout& rollout)
      : rollout_(rollout), run_(rollout), began_(rollout.ports.clock.steady_now()) {
    for (const auto& step : rollout.plan.steps) {
      if (step.phase != plan::Phase::cluster || is_prune(step)) {
        continue;  // what is to be pruned is decided anew under the lock
      }
      (is_namespace(step) ? namespace_steps_ : run_.steps).push_back(step);
    }
  }

  Status run() {
    using Part = Status (RecordedRollout::*)();
    for (const Part part : {&RecordedRollout::make_namespace, &RecordedRollout::take_lock,
                            &RecordedRollout::read_releases, &RecordedRollout::check, &RecordedRollout::describe,
                            &RecordedRollout::take_over_pending, &RecordedRollout::begin}) {
      if (const auto status = (this->*part)(); !status) {
        return status;
      }
    }
    const auto outcome = roll_out();
    return outcome ? end_well() : end_badly(run_, outcome.error());
  }

 private:
  // Lock and record are in it.
  Status make_namespace() {
    return namespace_steps_.empty() ? Status() : rollout_.run(namespace_steps_, nullptr, run_.ports);
  }

  Status take_lock() {
    const auto& ports = run_.ports;
    auto lock = Lock::acquire(run_.client, run_.scope,
                              {.holder = actor(ports.environment, ports.files),
                               .what = rollout_.options.action,
                               .wait = rollout_.options.lock_timeout,
                               .seen = rollout_.seen.lock},
                              ports.events, ports.stop);
    if (!lock) {
      return lock.error();
    }
    run_.lock.emplace(std::move(*lock));
    began_ = ports.clock.steady_now();  // who was waited for does not make it longer
    rollout_.halt.also_on(run_.lock->lost());
    return {};
  }

  Status read_releases() {
    auto listed = list_releases();
    if (!listed) {
      return listed.error();
    }
    run_.earlier = std::move(*listed);
    if (const auto* live = kube::live_release(run_.earlier)) {
      run_.live = *live;
    }
    return {};
  }

  base::Result<std::vector<ReleaseSummary>> list_releases() {
    const auto& seen = rollout_.seen;
    return is_untouched_since(seen, run_.lock->epoch()) ? *seen.releases
                                                        : run_.ledger.list_with_inventories(run_.ports.stop);
  }

  // What is refused writes nothing.
  Status check() {
    // `promote` finds what another run has made of its wish.
    if (!rollout_.options.continues && !is_untouched_since(rollout_.seen, run_.lock->epoch())) {
      if (const auto fits = check_after_another_run(); !fits) {
        return fits;
      }
    }
    if (const auto meant = rollout_.options.is_still_meant ? rollout_.options.is_still_meant() : Status(); !meant) {
      return meant;
    }
    if (const auto continued = check_continued(run_); !continued) {
      return continued;
    }
    if (const auto left_out = leave_out_taken_back(run_); !left_out) {
      return left_out;
    }
    const auto others = check_others_open(run_);
    return others ? check_order() : others;
  }

  // Which of them is live is looked for when it is rolled out.
  [[nodiscard]] bool has_two_sides(const std::string& service) const {
    return std::ranges::any_of(run_.steps, [&](const plan::Step& step) {
      return step.service == service && std::holds_alternative<plan::SwitchTraffic>(step.action);
    });
  }

  // What this run was planned by may be another now.
  Status check_after_another_run() {
    if (rollout_.options.is_exact) {
      return base::Error::refused("another run was at work since the plan was compared with the cluster")
          .with_hint("run the same command again: it compares anew");
    }
    const auto& planned_by = rollout_.seen.observation.live_sides;
    for (const auto& service : run_.services()) {
      if (has_two_sides(service)) {
        continue;
      }
      const auto side = live_side(run_.client, rollout_.target, service, run_.ports.stop);
      if (!side) {
        return side.error();
      }
      const auto planned = planned_by.find(service);
      if (*side != (planned == planned_by.end() ? generate::Side::blue : planned->second)) {
        return base::Error::refused("service/{} leads to other pods than when this run began: another run was at work",
                                    service)
            .with_hint("run the same command again: it begins with what is there now");
      }
    }
    return {};
  }

  Status check_order() {
    if (rollout_.options.older_commits == OlderCommits::allowed || !run_.live) {
      return {};
    }
    return check_commit_order(*run_.live, rollout_.seen.observation.commit, rollout_.target.directory, run_.ports.git);
  }

  Status describe() {
    auto record = make_record(run_);
    if (!record) {
      return record.error();
    }
    run_.desired = kube::inventory(*record, run_.scope.name_space);
    run_.content = kube::content_digest(*record);
    record_ = *std::move(record);
    return {};
  }

  // But for the release that waits and says what this run wants: it stays the one that is open.
  Status take_over_pending() {
    for (auto& release : run_.earlier) {
      if (release.state != ReleaseState::pending) {
        continue;
      }
      if (const auto taken = is_gone_on_with(run_, release) ? go_on_with(run_, release) : take_over(run_, release);
          !taken) {
        return taken;
      }
    }
    return {};
  }

  Status begin() {
    if (run_.number != 0) {
      return {};
    }
    const auto is_to_do = is_live_already() ? has_more_to_do_than_apply() : base::Result<bool>(true);
    if (!is_to_do) {
      return is_to_do.error();
    }
    if (!*is_to_do) {
      run_.note(Note::Level::info, fmt::format("release {} says the same and is live", run_.live->number));
      return {};
    }
    const auto number = run_.ledger.begin(std::move(record_), run_.ports.stop);
    if (!number) {
      return number.error();
    }
    run_.number = *number;
    run_.contracts = contracts_behind(run_);
    if (!run_.contracts.empty()) {
      if (const auto noted = run_.ledger.note_contracts(run_.number, run_.contracts, run_.ports.stop); !noted) {
        return noted;
      }
    }
    const auto& live = run_.live;
    run_.note(Note::Level::info,
              fmt::format("release {}{}", run_.number,
                          live ? fmt::format(", after release {}{}", live->number, brief_commit(live->commit)) : ""));
    return {};
  }

  // What may fail, or wait for somebody, is recorded.
  base::Result<bool> has_more_to_do_than_apply() {
    const auto has_task = has_task_to_do();
    return !has_task || *has_task
               ? has_task
               : has_pods_to_try(run_.steps, rollout_.images, run_.client, rollout_.target, run_.ports);
  }

  base::Result<bool> has_task_to_do() {
    for (const auto& step : run_.steps) {
      const auto* task = std::get_if<plan::RunTask>(&step.action);
      if (task == nullptr) {
        continue;
      }
      const auto job = rollout_.images.filled_in(task->job);
      const auto done = job ? has_been_done(*job, run_.client, run_.ports) : base::Result<bool>(job.error());
      if (!done || !*done) {
        return done ? base::Result<bool>(true) : done.error();
      }
    }
    return false;
  }

  // Nothing was tried since, and nothing would be different: the same run again.
  bool is_live_already() const {
    const auto& live = run_.live;
    return live && live->number == run_.earlier.front().number && live->commit == record_.commit &&
           live->content == run_.content;
  }

  Status roll_out() {
    if (const auto taken = take_up(run_); !taken) {
      return taken;
    }
    if (const auto mended = mend_other_services(run_); !mended) {
      return mended;
    }
    if (const auto settled = settle_left_tasks(run_); !settled) {
      return settled;
    }
    plan::make_way(run_.steps, run_.prunes(run_.desired), rollout_.seen.observation.moved_ports);
    return run_.run(run_.steps);
  }

  Status end_well() {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(run_.ports.clock.steady_now() - began_);
    const auto outcome = "deployed in " + base::human_duration(elapsed);
    if (const auto ended = run_.record_end(ReleaseState::deployed, outcome); !ended) {
      return ended;
    }
    const bool is_recorded = run_.number != 0;
    if (is_recorded) {
      std::erase_if(run_.earlier, [&](const ReleaseSummary& each) { return each.number == run_.number; });
      run_.earlier.insert(run_.earlier.begin(),
                          {.number = run_.number, .state = ReleaseState::deployed, .inventory = run_.desired});
    }
    run_.clean_up(run_.desired);
    if (run_.live) {
      tell_kept_claims(run_.client, plan::kept_claims(*run_.live, run_.desired), run_.ports);
    }
    if (is_recorded) {
      run_.tell_failure("deleting old releases", run_.ledger.prune(plan::kept_release_count, run_.ports.stop));
    }
    return {};
  }

  const Rollout& rollout_;
  ReleaseRun run_;
  io::SteadyTime began_;
  kube::Release record_;  // what is wanted; until it is in the ledger
  std::vector<plan::Step> namespace_steps_;
};

}  // namespace

Status roll_out_recorded(const Rollout& rollout) {
  return RecordedRollout(rollout).run();
}

}  // namespace deployctl::execute
