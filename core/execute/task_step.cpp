// The thread of the step follows the log of each pod as it starts; what it hears of the Job comes from the thread that
// watches all rollouts, through a Story.
#include "core/execute/task_step.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/cluster/log_follow.hpp"
#include "core/execute/step_report.hpp"
#include "core/generate/task.hpp"
#include "core/json/reader.hpp"
#include "core/kube/job.hpp"
#include "core/kube/resource.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace deployctl::execute {
namespace {

using Outcome = events::StepFinished::Outcome;

// The controller ends the Job at its own deadline; that it does not is told a little later.
constexpr std::chrono::milliseconds patience_with_the_controller{30'000};

struct Attempts {
  std::optional<kube::Object> complete;
  std::optional<kube::Object> running;
  int count = 0;
};

int attempt_number(const kube::Object& job) {
  const auto text = json::Reader(job.body).at("metadata", "labels", generate::task_attempt_label).string_or();
  return static_cast<int>(base::parse_integer(text).value_or(1));
}

base::Result<Attempts> find_attempts(const kube::Object& job, cluster::Client& client, const Ports& ports) {
  auto listed = client.list({.resource = kube::resource_of("Job"),
                             .name_space = job.name_space(),
                             .label_selector = generate::task_selector(job)},
                            ports.stop);
  if (!listed) {
    return listed.error();
  }
  Attempts attempts;
  for (auto& each : listed->items) {
    attempts.count = std::max(attempts.count, attempt_number(each));
    const auto state = kube::Job::from_json(each.body);
    const bool is_terminating = json::Reader(each.body).at("metadata", "deletionTimestamp").exists();
    if (state.is_complete()) {
      attempts.complete = std::move(each);
    } else if (!state.is_over() && !is_terminating) {
      attempts.running = std::move(each);
    }
  }
  return attempts;
}

// What the watching thread tells and the step's thread takes.
class Story {
 public:
  using End = base::Result<kube::RolloutOutcome>;

  JobObserver observer() {
    return {.on_pod = [this](const kube::PodStarted& started) { add(started); },
            .on_end = [this](const End& end) { finish(end); }};
  }

  // The next pod whose log is to be followed, waiting for one; nothing when there will be none.
  std::optional<kube::PodStarted> next_pod() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !pods_.empty() || end_; });
    if (pods_.empty()) {
      return std::nullopt;
    }
    auto pod = std::move(pods_.front());
    pods_.pop_front();
    return pod;
  }

  End end() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return end_.has_value(); });
    return *end_;
  }

 private:
  // The lock is held while the waiting thread is woken: it may be done with the story right after.
  void add(const kube::PodStarted& started) {
    const std::lock_guard lock(mutex_);
    pods_.push_back(started);
    changed_.notify_all();
  }

  void finish(const End& end) {
    const std::lock_guard lock(mutex_);
    end_ = end;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<kube::PodStarted> pods_;
  std::optional<End> end_;
};

class TaskStep {
 public:
  TaskStep(const plan::Step& step, const kube::Object& job, cluster::Client& client, Rollouts& rollouts,
           const std::function<base::Status()>& prepare, const Ports& ports)
      : step_(step),
        task_(std::get<plan::RunTask>(step.action).task),
        job_(job),
        client_(client),
        rollouts_(rollouts),
        prepare_(prepare),
        ports_(ports),
        report_(ports.events, ports.clock, step.id, step.service,
                fmt::format("running {} of {}", task_, step.service)) {}

  base::Status run() {
    const auto attempts = find_attempts(job_, client_, ports_);
    if (!attempts) {
      return give_up(attempts.error().within("looking for earlier Jobs"));
    }
    if (attempts->complete) {
      report_.finish(Outcome::unchanged,
                     fmt::format("job/{} has done it for this release", attempts->complete->name()));
      return {};
    }
    if (const auto prepared = prepare_(); !prepared) {
      return give_up(prepared.error());
    }
    const auto live = attempts->running ? take_up(*attempts->running) : begin(attempts->count + 1);
    return live ? watch(*live) : give_up(live.error());
  }

 private:
  base::Result<kube::Object> take_up(const kube::Object& running) {
    ports_.events.emit(
        events::Note{events::Note::Level::info, fmt::format("job/{} still runs: it is taken up", running.name())});
    return running;
  }

  base::Result<kube::Object> begin(int attempt) {
    const auto job = generate::task_attempt(job_, attempt);
    auto created = client_.create(job, ports_.stop);
    if (created) {
      ports_.events.emit(events::ObjectApplied{.step = step_.id,
                                               .service = step_.service,
                                               .object = kube::to_string(job.key()),
                                               .change = events::ObjectApplied::Change::created});
    }
    return created ? created : created.error().within("creating {}", kube::to_string(job.key()));
  }

  base::Status watch(const kube::Object& live) {
    const auto seconds = json::Reader(live.body).at("spec", "activeDeadlineSeconds").integer_or();
    const auto deadline = std::chrono::seconds(seconds) + patience_with_the_controller;
    Story story;
    rollouts_.follow_job(live, step_.id, step_.service, deadline, story.observer());
    while (const auto pod = story.next_pod()) {
      has_started_ = true;
      follow_log(live, *pod);
    }
    const auto end = story.end();
    if (!end) {
      return end.error().code == base::ErrorCode::interrupted ? leave(live) : give_up(end.error());
    }
    return finish(live, *end);
  }

  // Evidence for people: a log that cannot be read decides nothing.
  void follow_log(const kube::Object& live, const kube::PodStarted& pod) {
    const auto followed = cluster::follow_log(
        client_, {.name_space = live.name_space(), .pod = pod.pod, .container = pod.container, .tail_lines = {}},
        [&](std::string_view line) {
          ports_.events.emit(
              events::Output{.step = step_.id, .service = step_.service, .source = task_, .line = std::string(line)});
        },
        ports_.stop);
    const bool is_worth_telling = !followed && followed.error().code != base::ErrorCode::interrupted &&
                                  followed.error().code != base::ErrorCode::not_found;
    if (is_worth_telling) {
      ports_.events.emit(events::Note{events::Note::Level::warning,
                                      "the log cannot be followed: " + base::to_string(followed.error())});
    }
  }

  base::Status finish(const kube::Object& live, const kube::RolloutOutcome& outcome) {
    switch (outcome.result) {
      case kube::RolloutResult::done:
        report_.finish(Outcome::done, fmt::format("job/{} is complete", live.name()));
        return {};
      case kube::RolloutResult::failed:
        return fail(live, outcome);
      case kube::RolloutResult::undecided:
        return give_up(base::Error::make(base::ErrorCode::rollout_undecided, "it is not known how {} of {} ends: {}",
                                         task_, step_.service, outcome.status.summary)
                           .with_hint("job/{} is past its deadline and was not ended: look at kube-controller-manager",
                                      live.name()));
      case kube::RolloutResult::unseen:
        return give_up(
            base::Error::unreachable("it is not known how {} of {} ends: {}", task_, step_.service, outcome.blind)
                .with_hint("job/{} may still run in the cluster", live.name()));
      case kube::RolloutResult::interrupted:
        break;
    }
    return leave(live);
  }

  base::Status fail(const kube::Object& live, const kube::RolloutOutcome& outcome) {
    const auto& cause = outcome.findings.front();
    report_.finish(Outcome::failed, cause.message.empty() ? cause.reason : base::printable(cause.message));
    take_away_if_not_started(live);
    return base::Error::make(base::ErrorCode::rollout_failed, "{} of {} failed: {}: {}: {}", task_, step_.service,
                             cause.object, cause.reason, base::printable(cause.message))
        .with_hint("{}", cause.advice);
  }

  // A Job that waits for an image or a Secret would run as soon as that comes, long after this run.
  bool take_away_if_not_started(const kube::Object& live) {
    const auto now = client_.get(live.key());
    if (!now || kube::Job::from_json(now->body).is_over() || has_started_) {
      return false;
    }
    const auto uid = json::Reader(now->body).at("metadata", "uid").string_or();
    const auto removed = client_.remove(live.key(), {.uid = uid, .resource_version = {}, .stop = {}});
    ports_.events.emit(
        removed
            ? events::Note{events::Note::Level::info,
                           fmt::format("job/{} is taken away: it has not begun and would run later", live.name())}
            : events::Note{events::Note::Level::warning, fmt::format("job/{} has not begun and may run later: {}",
                                                                     live.name(), base::to_string(removed.error()))});
    return removed.has_value();
  }

  // Nobody kills a migration by Ctrl-C; one that has not begun is not to begin after whatever comes next.
  base::Status leave(const kube::Object& live) {
    if (take_away_if_not_started(live)) {
      report_.finish(Outcome::failed, "interrupted before it began");
      return base::Error::interrupted();
    }
    report_.finish(Outcome::open, fmt::format("interrupted; job/{} goes on in the cluster", live.name()));
    ports_.events.emit(events::Note{
        events::Note::Level::warning,
        fmt::format("{} of {} was not stopped: job/{} goes on, and the next run of this release takes it up", task_,
                    step_.service, live.name())});
    return base::Error::interrupted();
  }

  base::Status give_up(const base::Error& error) {
    const bool is_undecided = error.code == base::ErrorCode::rollout_undecided;
    report_.finish(is_undecided ? Outcome::open : Outcome::failed, error.message);
    return error.within("running {} of {}", task_, step_.service);
  }

  const plan::Step& step_;
  const std::string& task_;
  const kube::Object& job_;
  cluster::Client& client_;
  Rollouts& rollouts_;
  const std::function<base::Status()>& prepare_;
  const Ports& ports_;
  StepReport report_;
  bool has_started_ = false;
};

}  // namespace

base::Status run_task(const plan::Step& step, const kube::Object& job, cluster::Client& client, Rollouts& rollouts,
                      const std::function<base::Status()>& prepare, const Ports& ports) {
  return TaskStep(step, job, client, rollouts, prepare, ports).run();
}

base::Result<bool> has_been_done(const kube::Object& job, cluster::Client& client, const Ports& ports) {
  const auto attempts = find_attempts(job, client, ports);
  return attempts ? base::Result<bool>(attempts->complete.has_value())
                  : attempts.error().within("looking for earlier Jobs");
}

}  // namespace deployctl::execute
