#include "core/execute/left_behind.hpp"

#include "core/base/text.hpp"
#include "core/execute/canary.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/left_tasks.hpp"
#include "core/execute/sides.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/restore.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Status;
using events::Note;
using kube::ReleaseState;
using kube::ReleaseSummary;

// A service that this run is about uses its new side again, or lets it go by itself.
Status let_sides_go(ReleaseRun& run, CanaryRecord& left) {
  const auto ours = run.services();
  for (const auto& service : left.waiting_sides()) {
    const bool is_ours = std::ranges::find(ours, service) != ours.end();
    const auto gone = is_ours ? Status() : abort_side(run.rollout.target, service, run.client, run.ports);
    const auto noted = gone ? left.note_side(service, false) : gone;
    if (!noted) {
      return noted;
    }
  }
  return {};
}

Status take_back(ReleaseRun& run, const ReleaseSummary& left) {
  const auto release = run.ledger.read(left.number, run.ports.stop);
  if (!release) {
    return release.error();
  }
  const auto live = run.read_live_if_any();
  if (!live) {
    return live.error();
  }
  CanaryRecord record(left.progress,
                      [&](const json::Value& progress) { return run.ledger.note_progress(left.number, progress, {}); });
  const auto back = take_back_canaries(run, *release, *live, record);
  return back ? let_sides_go(run, record) : back;
}

const ReleaseSummary* newest_after_live(const ReleaseRun& run, ReleaseState state) {
  const auto found = std::ranges::find_if(run.earlier, [&](const ReleaseSummary& release) {
    return release.state == state && (!run.live || release.number > run.live->number);
  });
  return found == run.earlier.end() ? nullptr : &*found;
}

void tell_what_stays(const ReleaseRun& run) {
  const auto* failed = newest_after_live(run, ReleaseState::failed);
  if (failed == nullptr) {
    return;
  }
  auto others = failed->services;
  const auto ours = run.services();
  std::erase_if(others, [&](const auto& each) { return std::ranges::find(ours, each) != ours.end(); });
  if (!others.empty()) {
    run.note(Note::Level::warning,
             fmt::format("release {} failed, and what it did to {} stays as it is; 'deployctl rollout' without names "
                         "brings all services to one state",
                         failed->number, base::join(others, ", ")));
  }
}

// The run's own services, and those that the live release does not work for any more.
std::vector<std::string> left_as_they_are(const ReleaseRun& run) {
  auto left = run.services();
  for (const auto& task : contracts_behind(run)) {
    const auto service = std::string(base::split_once(task, '/').first);
    if (std::ranges::find(left, service) == left.end()) {
      run.tell_failure("bringing back " + service, kube::check_compatible(run.earlier, run.live->number, {service}));
      left.push_back(service);
    }
  }
  return left;
}

}  // namespace

std::vector<std::string> contracts_behind(const ReleaseRun& run) {
  std::vector<std::string> behind;
  if (!run.rollout.options.is_partial || !run.live) {
    return behind;
  }
  const auto ours = run.services();
  for (const auto& release : run.earlier) {
    for (const auto& task : release.contracts) {
      const auto service = base::split_once(task, '/').first;
      const bool is_lacked =
          release.number > run.live->number || (release.number == run.live->number && kube::is_behind(release, task));
      if (is_lacked && std::ranges::find(ours, service) == ours.end() &&
          std::ranges::find(behind, task) == behind.end()) {
        behind.push_back(task);
      }
    }
  }
  return behind;
}

bool is_gone_on_with(const ReleaseRun& run, const ReleaseSummary& open) {
  return !run.rollout.options.continues && release_under_way(run.earlier) == &open && was_left_waiting(open) &&
         open.content == run.content && open.commit == run.rollout.seen.observation.commit;
}

Status go_on_with(ReleaseRun& run, const ReleaseSummary& open) {
  if (const auto ours = run.ledger.claim(open, run.lock->epoch(), run.ports.stop); !ours) {
    return ours;
  }
  run.number = open.number;
  run.contracts = open.contracts;
  run.note(Note::Level::info, fmt::format("release {} goes on: {}", open.number,
                                          base::printable(CanaryRecord(open.progress, {}).open_in_words())));
  return {};
}

Status take_over(ReleaseRun& run, ReleaseSummary& left) {
  const auto open = CanaryRecord(left.progress, {}).open_in_words();
  const auto where = open.empty() ? left.journal : open;
  run.note(open.empty() ? Note::Level::warning : Note::Level::info,
           fmt::format("release {} by {} {}{}; this run {}", left.number, base::printable(left.actor),
                       open.empty() ? "was interrupted" : "has not ended",
                       where.empty() ? "" : fmt::format(" ({})", base::printable(where)),
                       open.empty() ? "makes good for it" : "goes on with it, or makes good for it"));
  left.state = ReleaseState::interrupted;
  return run.ledger.mark_interrupted(left, run.lock->epoch(), run.ports.stop);
}

Status check_continued(const ReleaseRun& run) {
  const auto number = run.rollout.options.continues;
  if (!number || (run.live && run.live->number == *number)) {
    return {};
  }
  const auto* open = release_under_way(run.earlier);
  if (open != nullptr && open->number == *number) {
    return {};
  }
  const auto ended = std::ranges::find(run.earlier, *number, &ReleaseSummary::number);
  return base::Error::refused(
      "release {} does not wait any more{}", *number,
      ended == run.earlier.end() || ended->outcome.empty() ? std::string() : ": " + base::printable(ended->outcome));
}

Status leave_out_taken_back(ReleaseRun& run) {
  const auto& options = run.rollout.options;
  const auto* open = options.continues ? release_under_way(run.earlier) : nullptr;
  if (open == nullptr) {
    return {};
  }
  run.left_out = CanaryRecord(open->progress, {}).taken_back();
  const auto is_left_out = [&](const std::string& service) {
    return std::ranges::find(run.left_out, service) != run.left_out.end();
  };
  if (const auto gone = std::ranges::find_if(options.promoted, is_left_out); gone != options.promoted.end()) {
    return base::Error::refused("{} of release {} has been taken back", *gone, open->number);
  }
  std::erase_if(run.steps, [&](const plan::Step& step) { return is_left_out(step.service); });
  return {};
}

Status check_others_open(const ReleaseRun& run) {
  const auto* open = run.rollout.options.is_partial ? release_under_way(run.earlier) : nullptr;
  if (open == nullptr) {
    return {};
  }
  auto others = CanaryRecord(open->progress, {}).open_services();
  const auto ours = run.services();
  std::erase_if(others, [&](const auto& service) { return std::ranges::find(ours, service) != ours.end(); });
  if (others.empty()) {
    return {};
  }
  return base::Error::refused("{} of release {} {} open, and this run is not about {}", base::join(others, ", "),
                              open->number, others.size() == 1 ? "is" : "are", others.size() == 1 ? "it" : "them")
      .with_hint(
          "'deployctl promote' or 'deployctl abort' ends that; 'deployctl rollout' without names takes it "
          "back for the whole project");
}

Status take_up(ReleaseRun& run) {
  const auto* open = release_under_way(run.earlier);
  auto* left = open == nullptr ? nullptr : &run.earlier[static_cast<std::size_t>(open - run.earlier.data())];
  const bool is_same =
      left != nullptr && (left->content == run.content || left->number == run.rollout.options.continues);
  const bool goes_on = is_same && run.number != 0;
  run.canaries.emplace(goes_on ? left->progress : json::Value(), [&run](const json::Value& progress) {
    return run.number == 0 ? Status() : run.ledger.note_progress(run.number, progress, {});
  });
  if (left == nullptr || left->number == run.number) {
    return {};
  }
  const auto taken =
      goes_on ? run.ledger.note_progress(run.number, left->progress, run.ports.stop) : take_back(run, *left);
  if (taken && left->state == ReleaseState::interrupted) {
    const auto by = run.number == 0 ? run.rollout.options.action : fmt::format("release {}", run.number);
    left->state = goes_on ? ReleaseState::continued : ReleaseState::interrupted;
    run.tell_failure("recording the end", run.ledger.finish(left->number, left->state,
                                                            (goes_on ? "went on as " : "taken back for ") + by, {}));
  }
  return taken;
}

Status take_back_canaries(ReleaseRun& run, const kube::Release& release, const kube::Release* live,
                          CanaryRecord& record) {
  for (const auto& kept : record.all()) {
    if (kept.is_over()) {
      continue;
    }
    run.note(Note::Level::info,
             fmt::format("taking back the canary of {} of release {}", kept.service, release.number));
    if (const auto back = abort_recorded({release, live, kept, record}, run.client, run.ports); !back) {
      return back.error().within("taking back the canary of {}", kept.service);
    }
  }
  return {};
}

Status mend_other_services(ReleaseRun& run) {
  if (!run.rollout.options.is_partial) {
    return {};
  }
  tell_what_stays(run);
  const auto* interrupted = newest_after_live(run, ReleaseState::interrupted);
  if (interrupted == nullptr || !run.live) {
    return {};
  }
  run.note(
      Note::Level::warning,
      fmt::format("release {} was interrupted: the services that this run is not about are brought back to release "
                  "{}; 'deployctl rollout' without names takes them along",
                  interrupted->number, run.live->number));
  auto live = run.read_live();
  if (!live) {
    return live.error();
  }
  const auto left = left_as_they_are(run);
  std::erase_if(live->objects, [&](const kube::Object& object) {
    return std::ranges::find(left, plan::service_of(object)) != left.end();
  });
  const auto sides = live_sides(run.client, run.rollout.target, run.ports.stop);
  if (!sides) {
    return sides.error();
  }
  const auto mending = plan::restore(*live, run.scope, sided(*sides));
  return mending.steps.empty() ? Status() : run.run(mending.steps);
}

Status settle_left_tasks(const ReleaseRun& run) {
  std::vector<kube::Object> wanted;
  for (const auto& step : run.steps) {
    if (const auto* task = std::get_if<plan::RunTask>(&step.action); task != nullptr) {
      if (auto job = run.rollout.images.filled_in(task->job)) {
        wanted.push_back(std::move(*job));
      }
    }
  }
  // Other releases may have come between, an `undo` for one, which goes back while a task is at work.
  const bool may_be_left = !wanted.empty() || newest_after_live(run, ReleaseState::interrupted) != nullptr;
  return may_be_left ? settle_left_tasks(run.client, run.scope, wanted, run.ports) : Status();
}

}  // namespace deployctl::execute
