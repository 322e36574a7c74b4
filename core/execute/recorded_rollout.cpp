#include "core/execute/recorded_rollout.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/execute/actor.hpp"
#include "core/execute/canary.hpp"
#include "core/execute/commit_order.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/left_tasks.hpp"
#include "core/execute/prune.hpp"
#include "core/execute/sides.hpp"
#include "core/generate/sides.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/make_way.hpp"
#include "core/plan/prune.hpp"
#include "core/plan/restore.hpp"

#include <algorithm>
#include <memory>
#include <optional>

namespace deployctl::execute {
namespace {

using base::ErrorCode;
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

bool is_about_canary(const plan::Step& step) {
  return std::holds_alternative<plan::RunCanary>(step.action) || std::holds_alternative<plan::EndCanary>(step.action);
}

std::string brief(const std::string& commit) {
  return commit.empty() ? "" : fmt::format(" (commit {})", base::printable(std::string_view(commit).substr(0, 7)));
}

class RecordedRollout {
 public:
  explicit RecordedRollout(const Rollout& rollout)
      : rollout_(rollout),
        ports_(rollout.ports),
        client_(*rollout.seen.world.cluster),
        scope_{rollout.plan.project, rollout.plan.environment, rollout.plan.name_space},
        kept_ledger_(rollout.seen.ledger ? rollout.seen.ledger : std::make_shared<Ledger>(client_, scope_)),
        ledger_(*kept_ledger_),
        began_(rollout.ports.clock.steady_now()) {
    for (const auto& step : rollout.plan.steps) {
      if (step.phase != plan::Phase::cluster || is_prune(step)) {
        continue;  // what is to be pruned is decided anew under the lock
      }
      (is_namespace(step) ? namespace_steps_ : steps_).push_back(step);
    }
  }

  Status run() {
    using Part = Status (RecordedRollout::*)();
    for (const Part part :
         {&RecordedRollout::make_namespace, &RecordedRollout::take_lock, &RecordedRollout::read_releases,
          &RecordedRollout::check_continued, &RecordedRollout::check_others_open, &RecordedRollout::check_order,
          &RecordedRollout::begin}) {
      if (const auto status = (this->*part)(); !status) {
        return status;
      }
    }
    const auto outcome = roll_out();
    return outcome ? end_well() : end_badly(outcome.error());
  }

 private:
  // ---- Before the first change ------------------------------------------------------------------------------------

  // Lock and record are in it.
  Status make_namespace() {
    return namespace_steps_.empty() ? Status() : rollout_.run(namespace_steps_, nullptr, ports_);
  }

  Status take_lock() {
    auto lock = Lock::acquire(client_, scope_,
                              {.holder = actor(ports_.environment, ports_.files),
                               .what = rollout_.options.action,
                               .wait = rollout_.options.lock_timeout,
                               .seen = rollout_.seen.lock},
                              ports_.events, ports_.stop);
    if (!lock) {
      return lock.error();
    }
    lock_.emplace(std::move(*lock));
    began_ = ports_.clock.steady_now();  // who was waited for does not make it longer
    rollout_.halt.also_on(lock_->lost());
    return {};
  }

  Status read_releases() {
    auto listed = list_releases();
    if (!listed) {
      return listed.error();
    }
    earlier_ = std::move(*listed);
    for (auto& release : earlier_) {
      if (release.state == ReleaseState::pending) {
        if (const auto taken = take_over(release); !taken) {
          return taken;
        }
      }
    }
    if (const auto* live = kube::live_release(earlier_)) {
      live_ = *live;
    }
    return {};
  }

  // What was read while the lock was free is still true when nobody else has had the lock since.
  base::Result<std::vector<ReleaseSummary>> list_releases() {
    const auto& seen = rollout_.seen;
    const bool is_still_true = seen.releases && lock_->epoch() == seen.lock->epoch + 1;
    return is_still_true ? *seen.releases : ledger_.list_with_inventories(ports_.stop);
  }

  // Whoever holds the lock knows that nobody else is at work: what is pending was left behind.
  Status take_over(ReleaseSummary& left) {
    const auto open = CanaryRecord(left.progress, {}).open_in_words();
    const auto where = open.empty() ? left.journal : open;
    note(open.empty() ? Note::Level::warning : Note::Level::info,
         fmt::format("release {} by {} {}{}; this run {}", left.number, base::printable(left.actor),
                     open.empty() ? "was interrupted" : "has not ended",
                     where.empty() ? "" : fmt::format(" ({})", base::printable(where)),
                     open.empty() ? "makes good for it" : "goes on with it, or makes good for it"));
    left.state = ReleaseState::interrupted;
    return ledger_.mark_interrupted(left, lock_->epoch(), ports_.stop);
  }

  // What `promote` is about may have ended while it waited for the lock.
  Status check_continued() {
    const auto number = rollout_.options.continues;
    if (!number || (live_ && live_->number == *number)) {
      return {};
    }
    const auto* open = release_under_way(earlier_);
    if (open != nullptr && open->number == *number) {
      return {};
    }
    const auto ended = std::ranges::find(earlier_, *number, &ReleaseSummary::number);
    return base::Error::refused(
        "release {} does not wait any more{}", *number,
        ended == earlier_.end() || ended->outcome.empty() ? std::string() : ": " + base::printable(ended->outcome));
  }

  // A run about some services is not to end what waits of others.
  Status check_others_open() {
    const auto* open = rollout_.options.is_partial ? release_under_way(earlier_) : nullptr;
    if (open == nullptr) {
      return {};
    }
    auto others = CanaryRecord(open->progress, {}).open_services();
    const auto ours = services();
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

  // The same release again goes on with what is open of it, any other takes that back first.
  Status take_up(const std::string& content) {
    const auto* left = release_under_way(earlier_);
    const bool is_same = left != nullptr && (left->content == content || left->number == rollout_.options.continues);
    const bool goes_on = is_same && number_ != 0;
    canaries_.emplace(goes_on ? left->progress : json::Value(), [this](const json::Value& progress) {
      return number_ == 0 ? Status() : ledger_.note_progress(number_, progress, {});
    });
    if (left == nullptr) {
      return {};
    }
    const auto taken = goes_on ? ledger_.note_progress(number_, left->progress, ports_.stop) : take_back(*left);
    if (taken && left->state == ReleaseState::interrupted) {
      const auto by = number_ == 0 ? rollout_.options.action : fmt::format("release {}", number_);
      tell_failure("recording the end",
                   ledger_.finish(left->number, left->state, (goes_on ? "went on as " : "taken back for ") + by, {}));
    }
    return taken;
  }

  Status take_back(const ReleaseSummary& left) {
    const auto release = ledger_.read(left.number, ports_.stop);
    if (!release) {
      return release.error();
    }
    const auto live = read_live_if_any();
    if (!live) {
      return live.error();
    }
    CanaryRecord record(left.progress,
                        [&](const json::Value& progress) { return ledger_.note_progress(left.number, progress, {}); });
    const auto back = take_back_canaries(*release, *live, record);
    return back ? let_sides_go(record) : back;
  }

  Status take_back_canaries(const kube::Release& release, const kube::Release* live, CanaryRecord& record) {
    for (const auto& kept : record.all()) {
      if (kept.is_over()) {
        continue;
      }
      note(Note::Level::info, fmt::format("taking back the canary of {} of release {}", kept.service, release.number));
      if (const auto back = abort_recorded({release, live, kept, record}, client_, ports_); !back) {
        return back.error().within("taking back the canary of {}", kept.service);
      }
    }
    return {};
  }

  // A service that this run is about uses its new side again, or lets it go by itself.
  Status let_sides_go(CanaryRecord& left) {
    const auto ours = services();
    for (const auto& service : left.waiting_sides()) {
      const bool is_ours = std::ranges::find(ours, service) != ours.end();
      const auto gone = is_ours ? Status() : abort_side(rollout_.target, service, client_, ports_);
      const auto noted = gone ? left.note_side(service, false) : gone;
      if (!noted) {
        return noted;
      }
    }
    return {};
  }

  Status check_order() {
    if (rollout_.options.older_commits == OlderCommits::allowed || !live_) {
      return {};
    }
    return check_commit_order(*live_, rollout_.seen.observation.commit, rollout_.target.directory, ports_.git);
  }

  Status begin() {
    auto record = make_record();
    if (!record) {
      return record.error();
    }
    desired_ = kube::inventory(*record, scope_.name_space);
    if (is_live_already(*record)) {
      note(Note::Level::info, fmt::format("release {} says the same and is live", live_->number));
      return {};
    }
    const auto content = kube::content_digest(*record);
    const auto number = ledger_.begin(*std::move(record), ports_.stop);
    if (!number) {
      return number.error();
    }
    number_ = *number;
    content_ = content;
    note(Note::Level::info,
         fmt::format("release {}{}", number_,
                     live_ ? fmt::format(", after release {}{}", live_->number, brief(live_->commit)) : ""));
    return {};
  }

  // "rollout of web": of which services, when it is not about all.
  std::string action() const {
    const auto& whole = rollout_.options.action;
    return rollout_.options.is_partial ? fmt::format("{} of {}", whole, base::join(services(), ", ")) : whole;
  }

  base::Result<kube::Release> make_record() {
    const auto& observation = rollout_.seen.observation;
    kube::Release record{.project = scope_.project,
                         .environment = scope_.environment,
                         .commit = observation.commit,
                         .tag = observation.tag,
                         .actor = actor(ports_.environment, ports_.files),
                         .action = action(),
                         .tool_version = rollout_.tool_version,
                         .started = io::to_rfc3339(ports_.clock.now()),
                         .epoch = lock_->epoch(),
                         .secrets = rollout_.plan.kept_secrets,
                         .depends_on = rollout_.plan.depends_on};
    for (const auto& step : steps_) {
      if (const auto added = add_to_record(record, step); !added) {
        return added.error();
      }
    }
    for (const auto& service : one_sided_) {
      record.two_sides.erase(service);
    }
    for (const auto& service : record.services) {
      if (const auto image = rollout_.images.find(service)) {
        record.images[service] = *image;
      }
    }
    const auto& left_out = rollout_.options.left_out;
    if (live_ && (rollout_.options.is_partial || !left_out.empty())) {
      auto live = read_live();
      if (!live) {
        return live.error();
      }
      if (!rollout_.options.is_partial) {
        plan::keep_services(*live, left_out);
      }
      plan::carry_forward(record, *live, record.services);
    }
    return record;
  }

  Status add_to_record(kube::Release& record, const plan::Step& step) {
    if (!step.service.empty() && std::ranges::find(record.services, step.service) == record.services.end()) {
      record.services.push_back(step.service);
    }
    if (const auto* apply = std::get_if<plan::ApplyObject>(&step.action)) {
      auto object = rollout_.images.filled_in(apply->object);
      if (!object) {
        return object.error();
      }
      record.objects.push_back(std::move(*object));
    } else if (const auto* secret = std::get_if<plan::ApplySecret>(&step.action)) {
      record.secrets.push_back(secret->name);
    } else if (const auto* retire = std::get_if<plan::RetireSide>(&step.action); retire != nullptr) {
      record.two_sides[step.service] = {generate::side_name(step.service, generate::Side::green), retire->keep};
    } else if (const auto* change = std::get_if<plan::SwitchTraffic>(&step.action);
               change != nullptr && change->goes_home) {
      one_sided_.push_back(step.service);
    }
    return {};
  }

  // Nothing was tried since, and nothing would be different: the same run again.
  bool is_live_already(const kube::Release& record) const {
    return live_ && live_->number == earlier_.front().number && live_->commit == record.commit &&
           live_->content == kube::content_digest(record);
  }

  base::Result<kube::Release> read_live() {
    if (!live_content_) {
      auto read = ledger_.read(live_->number, ports_.stop);
      if (!read) {
        return read.error();
      }
      live_content_ = std::move(*read);
    }
    return *live_content_;
  }

  // Null when there is none.
  base::Result<const kube::Release*> read_live_if_any() {
    if (!live_) {
      return nullptr;
    }
    const auto read = read_live();
    return read ? base::Result<const kube::Release*>(&*live_content_) : read.error();
  }

  // ---- The change -------------------------------------------------------------------------------------------------

  Status roll_out() {
    if (const auto taken = take_up(content_); !taken) {
      return taken;
    }
    if (const auto mended = mend_other_services(); !mended) {
      return mended;
    }
    take_left_tasks_away();
    plan::make_way(steps_, prunes(desired_), rollout_.seen.observation.moved_ports);
    return run(steps_);
  }

  // Its own, begun or not, the run takes up by itself.
  void take_left_tasks_away() {
    if (newest_after_live(ReleaseState::interrupted) == nullptr) {
      return;
    }
    std::vector<kube::Object> wanted;
    for (const auto& step : steps_) {
      if (const auto* task = std::get_if<plan::RunTask>(&step.action); task != nullptr) {
        if (auto job = rollout_.images.filled_in(task->job)) {
          wanted.push_back(std::move(*job));
        }
      }
    }
    execute::take_left_tasks_away(client_, scope_, wanted, ports_);
  }

  Status run(const std::vector<plan::Step>& steps) {
    OpenRelease open{.ledger = ledger_,
                     .lock = *lock_,
                     .number = number_,
                     .canaries = &*canaries_,
                     .note_contract = [this](const std::string& task) { return note_contract(task); },
                     .paused = {}};
    if (std::ranges::any_of(steps, is_about_canary)) {
      const auto live = read_live_if_any();
      if (!live) {
        return live.error();
      }
      open.live = *live;
    }
    std::optional<Journal> journal;
    if (number_ != 0) {
      journal.emplace(ledger_, number_, steps.size());
      open.journal = &*journal;
    }
    const auto status = rollout_.run(steps, &open, ports_);
    paused_.insert(paused_.end(), open.paused.begin(), open.paused.end());
    is_overtaken_ = is_overtaken_ || open.is_overtaken;
    journal_text_ = journal ? journal->text() : std::string();
    return status;
  }

  // They are begun one after the other.
  Status note_contract(const std::string& task) {
    contracts_.push_back(task);
    if (number_ != 0) {
      return ledger_.note_contracts(number_, contracts_, ports_.stop);
    }
    auto all = live_->contracts;
    all.insert(all.end(), contracts_.begin(), contracts_.end());
    return ledger_.note_contracts(live_->number, all, ports_.stop);
  }

  // A run about some services has nothing of its own to put in the place of what an interrupted one did to the others.
  // What one that failed did to them was left there on purpose (--on-failure stop, keep) and stays.
  Status mend_other_services() {
    if (!rollout_.options.is_partial) {
      return {};
    }
    tell_what_stays();
    const auto* interrupted = newest_after_live(ReleaseState::interrupted);
    if (interrupted == nullptr || !live_) {
      return {};
    }
    note(Note::Level::warning,
         fmt::format("release {} was interrupted: the services that this run is not about are brought back to release "
                     "{}; 'deployctl rollout' without names takes them along",
                     interrupted->number, live_->number));
    auto live = read_live();
    if (!live) {
      return live.error();
    }
    const auto left = left_as_they_are();
    std::erase_if(live->objects, [&](const kube::Object& object) {
      return std::ranges::find(left, plan::service_of(object)) != left.end();
    });
    const auto sides = live_sides(client_, rollout_.target, ports_.stop);
    if (!sides) {
      return sides.error();
    }
    const auto mending = plan::restore(*live, scope_, sided(*sides));
    return mending.steps.empty() ? Status() : run(mending.steps);
  }

  // The run's own services, and those that the live release does not work for any more.
  std::vector<std::string> left_as_they_are() {
    auto left = services();
    for (const auto& release : earlier_) {
      for (const auto& task : release.contracts) {
        const auto service = std::string(base::split_once(task, '/').first);
        if (release.number > live_->number && std::ranges::find(left, service) == left.end()) {
          tell_failure("bringing back " + service, kube::check_compatible(earlier_, live_->number, {service}));
          left.push_back(service);
        }
      }
    }
    return left;
  }

  void tell_what_stays() {
    const auto* failed = newest_after_live(ReleaseState::failed);
    if (failed == nullptr) {
      return;
    }
    auto others = failed->services;
    const auto ours = services();
    std::erase_if(others, [&](const auto& each) { return std::ranges::find(ours, each) != ours.end(); });
    if (!others.empty()) {
      note(Note::Level::warning,
           fmt::format("release {} failed, and what it did to {} stays as it is; 'deployctl rollout' without names "
                       "brings all services to one state",
                       failed->number, base::join(others, ", ")));
    }
  }

  const ReleaseSummary* newest_after_live(ReleaseState state) const {
    const auto found = std::ranges::find_if(earlier_, [&](const ReleaseSummary& release) {
      return release.state == state && (!live_ || release.number > live_->number);
    });
    return found == earlier_.end() ? nullptr : &*found;
  }

  // Each once.
  std::vector<std::string> services() const {
    std::vector<std::string> names;
    for (const auto& step : steps_) {
      if (!step.service.empty() && std::ranges::find(names, step.service) == names.end()) {
        names.push_back(step.service);
      }
    }
    return names;
  }

  // ---- How it ended -----------------------------------------------------------------------------------------------

  Status end_well() {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(ports_.clock.steady_now() - began_);
    if (const auto ended = record_end(ReleaseState::deployed, "deployed in " + base::human_duration(elapsed)); !ended) {
      return ended;
    }
    if (number_ != 0) {
      earlier_.insert(earlier_.begin(), {.number = number_, .state = ReleaseState::deployed, .inventory = desired_});
    }
    clean_up(desired_);
    if (live_) {
      tell_kept_claims(client_, plan::kept_claims(*live_, desired_), ports_);
    }
    if (number_ != 0) {
      tell_failure("deleting old releases", ledger_.prune(plan::kept_release_count, ports_.stop));
    }
    return {};
  }

  Status end_badly(const base::Error& cause) {
    if (lock_->lost().stop_requested()) {
      return lock_->still_held();
    }
    if (number_ == 0) {
      return cause;
    }
    if (std::ranges::find(paused_, cause.message) != paused_.end()) {
      note(Note::Level::info, fmt::format("release {} stays open: {}; {}", number_, cause.message, cause.hint));
      return {};
    }
    const bool is_stopped = cause.code == ErrorCode::interrupted;
    if (rollout_.options.on_interrupt == OnInterrupt::undo) {
      heed_only_the_lock();
    } else if (is_stopped) {
      return leave(cause);
    }
    if (is_stopped) {
      return go_back(stopped(), end_trials());
    }
    return is_mended_by_going_back(cause) ? take_back_tried(cause) : end_failed(cause);
  }

  // Ctrl-C asks for the way back, so it does not end it; another one ends the process.
  void heed_only_the_lock() {
    on_the_way_back_.emplace(std::stop_token());
    on_the_way_back_->also_on(lock_->lost());
    ports_.stop = on_the_way_back_->token();
  }

  base::Error stopped() const {
    return base::Error::make(ErrorCode::interrupted, "stopped by the user: {}", journal_text_);
  }

  base::Error leave(const base::Error& cause) {
    tell_failure("recording the end", record_end(ReleaseState::interrupted, stopped().message));
    const auto back = live_ ? fmt::format(", 'deployctl undo' goes back to release {}", live_->number) : std::string();
    return cause.with_hint(
        "release {} is left as it is ({}), and the cluster goes on with what it has been given; the "
        "same command again goes on{}",
        number_, journal_text_, back);
  }

  // Not when the cluster does not answer, nor when somebody else has the say now.
  bool is_mended_by_going_back(const base::Error& cause) {
    const bool is_ours = cause.code != ErrorCode::refused || lock_->still_held();
    return cause.code != ErrorCode::unreachable && !is_overtaken_ && is_ours;
  }

  base::Error end_failed(const base::Error& cause) {
    tell_failure("recording the end", record_end(ReleaseState::failed, base::to_string(cause)));
    return cause;
  }

  base::Error take_back_tried(const base::Error& cause) {
    const auto ended = end_trials();
    if (rollout_.options.on_failure == OnFailure::undo) {
      return go_back(cause, ended);
    }
    return ended ? end_failed(cause) : fail_to_go_back(cause, "taking back what was tried", ended.error());
  }

  // A release that has failed tries nothing any more: canaries of its other services go too.
  Status end_trials() {
    const auto all = canaries_->all();
    if (std::ranges::all_of(all, [](const KeptCanary& kept) { return kept.is_over(); })) {
      return {};
    }
    const auto release = ledger_.read(number_, ports_.stop);
    if (!release) {
      return release.error();
    }
    const auto live = read_live_if_any();
    return live ? take_back_canaries(*release, *live, *canaries_) : live.error();
  }

  // What the run ends with. `trials`: whether canaries could be taken back; the rest is, whatever became of them.
  base::Error go_back(const base::Error& cause, const Status& trials) {
    const bool is_stopped = cause.code == ErrorCode::interrupted;
    const auto why = is_stopped ? cause.message : fmt::format("the rollout failed ({})", base::to_string(cause));
    if (!live_) {
      note(Note::Level::warning, why + "; there is no earlier release to go back to");
      return is_stopped ? leave(cause) : end_failed(cause);
    }
    note(Note::Level::warning, fmt::format("{}; going back to release {}{}{}", why, live_->number, brief(live_->commit),
                                           on_the_way_back_ ? ", which another Ctrl-C breaks off" : ""));
    const auto restored = restore_live();
    if (const auto& back = restored ? trials : restored; !back) {
      return fail_to_go_back(cause, fmt::format("going back to release {}", live_->number), back.error());
    }
    note(Note::Level::info, fmt::format("release {} is live again", live_->number));
    tell_failure("recording the end",
                 record_end(ReleaseState::rolled_back,
                            fmt::format("{}; went back to release {}", base::to_string(cause), live_->number)));
    return cause;
  }

  // `what` was stopped, or did not work.
  base::Error fail_to_go_back(const base::Error& cause, const std::string& what, const base::Error& problem) {
    if (const auto held = lock_->still_held(); !held) {
      return held.error();
    }
    const bool is_stopped = problem.code == ErrorCode::interrupted;
    const auto outcome =
        fmt::format("{}; {} {}", base::to_string(cause), what,
                    is_stopped ? "was stopped by the user" : "failed too: " + base::to_string(problem));
    tell_failure("recording the end",
                 record_end(is_stopped ? ReleaseState::interrupted : ReleaseState::failed, outcome));
    auto error = base::Error::make(is_stopped ? ErrorCode::interrupted : ErrorCode::undo_failed, "{}", outcome);
    error.hint = problem.code == ErrorCode::refused ? problem.hint : "";
    return error.with_hint("the cluster holds parts of both releases: 'deployctl undo' tries it again");
  }

  // Tasks that this run or one since the live release has begun may have taken away what that one needs.
  Status check_way_back() const {
    auto releases = earlier_;
    releases.insert(releases.begin(), {.number = number_, .contracts = contracts_});
    return kube::check_compatible(releases, live_->number, {});
  }

  // Objects that only the failed release had go too.
  Status restore_live() {
    if (const auto possible = check_way_back(); !possible) {
      return possible;
    }
    const auto live = read_live();
    if (!live) {
      return live.error();
    }
    const auto sides = live_sides(client_, rollout_.target, ports_.stop);
    if (!sides) {
      return sides.error();
    }
    earlier_.insert(earlier_.begin(), {.number = number_, .state = ReleaseState::failed, .inventory = desired_});
    const auto wanted = kube::inventory(*live, scope_.name_space);
    auto steps = plan::restore(*live, scope_, sided(*sides)).steps;
    plan::make_way(steps, prunes(wanted), plan::moved_ports(steps, steps_));
    if (const auto restored = run(steps); !restored) {
      return restored;
    }
    clean_up(wanted);
    return {};
  }

  // Of what the ledger has and `desired` has not.
  std::vector<plan::Step> prunes(const std::vector<kube::ObjectKey>& desired) const {
    const auto of = rollout_.options.is_partial ? services() : std::vector<std::string>();
    return plan::prune_steps(plan::to_prune(earlier_, desired), of);
  }

  void clean_up(const std::vector<kube::ObjectKey>& desired) {
    const auto steps = prunes(desired);
    if (!steps.empty()) {
      tell_failure("pruning", run(steps));
    }
  }

  // Also after Ctrl-C: it is what Ctrl-C waits for.
  Status record_end(ReleaseState state, const std::string& outcome) {
    if (number_ == 0) {
      return {};
    }
    if (const auto held = lock_->still_held(); !held) {
      return held;
    }
    return ledger_.finish(number_, state, outcome, {});
  }

  void tell_failure(std::string_view what, const Status& status) {
    if (!status) {
      note(Note::Level::warning, fmt::format("{} failed: {}", what, base::to_string(status.error())));
    }
  }

  void note(Note::Level level, std::string text) { ports_.events.emit(Note{level, std::move(text)}); }

  const Rollout& rollout_;
  Ports ports_;
  cluster::Client& client_;
  LedgerScope scope_;
  std::shared_ptr<Ledger> kept_ledger_;
  Ledger& ledger_;
  io::SteadyTime began_;
  std::vector<plan::Step> namespace_steps_;
  std::vector<plan::Step> steps_;
  std::optional<Lock> lock_;
  std::optional<Halt> on_the_way_back_;  // when it is not for the user to stop it
  std::vector<ReleaseSummary> earlier_;  // newest first
  std::optional<ReleaseSummary> live_;
  std::optional<kube::Release> live_content_;
  std::vector<kube::ObjectKey> desired_;
  std::vector<std::string> one_sided_;  // services that have two sides no longer
  long long number_ = 0;                // of this run's release; 0: none is recorded
  std::string content_;                 // digest of this run's release
  std::optional<CanaryRecord> canaries_;
  std::vector<std::string> paused_;
  std::vector<std::string> contracts_;
  bool is_overtaken_ = false;
  std::string journal_text_ = "no step done";
};

}  // namespace

Status roll_out_recorded(const Rollout& rollout) {
  return RecordedRollout(rollout).run();
}

}  // namespace deployctl::execute
