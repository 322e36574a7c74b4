#include "core/execute/way_back.hpp"

#include "core/execute/inspect.hpp"
#include "core/execute/left_behind.hpp"
#include "core/execute/running.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/make_way.hpp"
#include "core/plan/restore.hpp"

#include <algorithm>
#include <optional>

namespace deployctl::execute {
namespace {

using base::ErrorCode;
using base::Status;
using events::Note;
using kube::ReleaseState;

class Ending {
 public:
  explicit Ending(ReleaseRun& run) : run_(run) {}

  Status end(const base::Error& cause) {
    if (run_.lock->lost().stop_requested()) {
      return run_.lock->still_held();
    }
    if (run_.number == 0) {
      return with_going_on(cause);
    }
    if (std::ranges::find(run_.paused, cause.message) != run_.paused.end()) {
      run_.note(Note::Level::info,
                fmt::format("release {} stays open: {}; {}", run_.number, cause.message, cause.hint));
      run_.tell_failure("recording how far it is", run_.ledger.note_journal(run_.number, run_.journal_text, {}));
      return {};
    }
    const bool is_stopped = cause.code == ErrorCode::interrupted;
    if (run_.rollout.options.on_interrupt == OnInterrupt::undo) {
      heed_only_the_lock();
    } else if (is_stopped) {
      return leave(cause);
    }
    if (is_stopped) {
      return go_back(stopped(), end_trials());
    }
    return is_mended_by_going_back(cause) ? take_back_tried(cause) : end_failed(cause);
  }

 private:
  // Ctrl-C asks for the way back, so it does not end it; another one ends the process.
  void heed_only_the_lock() {
    way_back_.emplace(std::stop_token());
    way_back_->also_on(run_.lock->lost());
    run_.ports.stop = way_back_->token();
  }

  base::Error stopped() const {
    return base::Error::make(ErrorCode::interrupted, "stopped by the user: {}", run_.journal_text);
  }

  base::Error leave(const base::Error& cause) {
    run_.tell_failure("recording the end", run_.record_end(ReleaseState::interrupted, stopped().message));
    const auto back =
        run_.live ? fmt::format(", 'deployctl undo' goes back to release {}", run_.live->number) : std::string();
    return cause.with_hint(
        "release {} is left as it is ({}), and the cluster goes on with what it has been given; the "
        "same command again goes on{}",
        run_.number, run_.journal_text, back);
  }

  // Not when the cluster does not answer or does not know us any more, nor when somebody else has the say now.
  bool is_mended_by_going_back(const base::Error& cause) {
    const bool is_in_doubt = cause.code == ErrorCode::refused || cause.code == ErrorCode::unauthorized;
    const bool is_ours = !is_in_doubt || run_.lock->still_held();
    return cause.code != ErrorCode::unreachable && !run_.is_overtaken && is_ours;
  }

  base::Error end_failed(const base::Error& cause) {
    run_.tell_failure("recording the end", run_.record_end(ReleaseState::failed, base::to_string(cause)));
    return run_.live && check_way_back() ? with_way_back(with_going_on(cause)) : with_going_on(cause);
  }

  // What nobody takes back may still come to a good end.
  static base::Error with_going_on(base::Error cause) {
    if (cause.code == ErrorCode::rollout_undecided) {
      add_hint(cause, "it goes on in the cluster: 'deployctl status' shows it");
    }
    return cause;
  }

  base::Error with_way_back(base::Error cause) const {
    add_hint(cause, fmt::format("the cluster is as this release has left it: 'deployctl undo' goes back to release {}",
                                run_.live->number));
    return cause;
  }

  static void add_hint(base::Error& error, std::string_view hint) {
    error.hint += fmt::format("{}{}", error.hint.empty() ? "" : "; ", hint);
  }

  base::Error take_back_tried(const base::Error& cause) {
    const auto ended = end_trials();
    if (run_.rollout.options.on_failure == OnFailure::undo) {
      return go_back(cause, ended);
    }
    return ended ? end_failed(cause) : fail_to_go_back(cause, "taking back what was tried", ended.error());
  }

  // A release that has failed tries nothing any more: canaries of its other services go too.
  Status end_trials() {
    const auto all = run_.canaries->all();
    if (std::ranges::all_of(all, [](const KeptCanary& kept) { return kept.is_over(); })) {
      return {};
    }
    const auto release = run_.ledger.read(run_.number, run_.ports.stop);
    if (!release) {
      return release.error();
    }
    const auto live = run_.read_live_if_any();
    return live ? take_back_canaries(run_, *release, *live, *run_.canaries) : live.error();
  }

  // What the run ends with. `trials`: whether canaries could be taken back; the rest is, whatever became of them.
  base::Error go_back(const base::Error& cause, const Status& trials) {
    const bool is_stopped = cause.code == ErrorCode::interrupted;
    const auto why = is_stopped ? cause.message : fmt::format("the rollout failed ({})", base::to_string(cause));
    if (!run_.live) {
      run_.note(Note::Level::warning, why + "; there is no earlier release to go back to");
      return is_stopped ? leave(cause) : end_failed(cause);
    }
    run_.note(Note::Level::warning,
              fmt::format("{}; going back to release {}{}{}", why, run_.live->number, brief_commit(run_.live->commit),
                          way_back_ ? ", which another Ctrl-C breaks off" : ""));
    const auto restored = restore_live();
    if (const auto& back = restored ? trials : restored; !back) {
      return fail_to_go_back(cause, fmt::format("going back to release {}", run_.live->number), back.error());
    }
    run_.note(Note::Level::info, fmt::format("release {} is live again", run_.live->number));
    run_.tell_failure("recording the end", run_.record_end(ReleaseState::rolled_back,
                                                           fmt::format("{}; went back to release {}",
                                                                       base::to_string(cause), run_.live->number)));
    return cause;
  }

  // `what` was stopped, or did not work.
  base::Error fail_to_go_back(const base::Error& cause, const std::string& what, const base::Error& problem) {
    if (const auto held = run_.lock->still_held(); !held) {
      return held.error();
    }
    const bool is_stopped = problem.code == ErrorCode::interrupted;
    const auto outcome =
        fmt::format("{}; {} {}", base::to_string(cause), what,
                    is_stopped ? "was stopped by the user" : "failed too: " + base::to_string(problem));
    run_.tell_failure("recording the end",
                      run_.record_end(is_stopped ? ReleaseState::interrupted : ReleaseState::failed, outcome));
    auto error = base::Error::make(code_of_both(cause, problem), "{}", outcome);
    error.hint = problem.code == ErrorCode::refused ? problem.hint : "";
    return error.with_hint("the cluster holds parts of both releases: 'deployctl undo' tries it again");
  }

  // Who is not known any more is told that, not that the way back does not work.
  static ErrorCode code_of_both(const base::Error& cause, const base::Error& problem) {
    const bool is_login = cause.code == ErrorCode::unauthorized && problem.code == ErrorCode::unauthorized;
    return is_login                                 ? ErrorCode::unauthorized
           : problem.code == ErrorCode::interrupted ? ErrorCode::interrupted
                                                    : ErrorCode::undo_failed;
  }

  // Tasks that this run or one since the live release has begun may have taken away what that one needs.
  Status check_way_back() const {
    auto releases = run_.earlier;
    releases.insert(releases.begin(), {.number = run_.number, .contracts = run_.contracts});
    return kube::check_compatible(releases, run_.live->number, is_about());
  }

  // None: all services.
  std::vector<std::string> is_about() const {
    return run_.rollout.options.is_partial ? run_.services() : std::vector<std::string>();
  }

  // Objects that only the failed release had go too. What a run was not about may be newer than the live release: it
  // was left so on purpose.
  Status restore_live() {
    if (const auto possible = check_way_back(); !possible) {
      return possible;
    }
    auto live = run_.read_live();
    if (!live) {
      return live.error();
    }
    const auto sides = live_sides(run_.client, run_.rollout.target, run_.ports.stop);
    const auto running = read_running(plan::services_of(*live), run_.client, run_.scope.name_space, run_.ports.stop);
    if (!sides || !running) {
      return sides ? running.error() : sides.error();
    }
    keep_scaled(*live, *running, *sides);
    run_.earlier.insert(run_.earlier.begin(),
                        {.number = run_.number, .state = ReleaseState::failed, .inventory = run_.desired});
    const auto wanted = kube::inventory(*live, run_.scope.name_space);
    if (const auto services = is_about(); !services.empty()) {
      plan::keep_services(*live, services);
    }
    auto steps = plan::restore(*live, run_.scope, sided(*sides)).steps;
    plan::make_way(steps, run_.prunes(wanted), plan::moved_ports(steps, run_.steps));
    if (const auto restored = run_.run(steps); !restored) {
      return restored;
    }
    run_.clean_up(wanted);
    return {};
  }

  ReleaseRun& run_;
  std::optional<Halt> way_back_;  // when it is not for the user to stop it
};

}  // namespace

Status end_badly(ReleaseRun& run, const base::Error& cause) {
  return Ending(run).end(cause);
}

}  // namespace deployctl::execute
