#include "core/execute/await.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/execute/step_report.hpp"

#include <algorithm>
#include <map>

namespace deployctl::execute {
namespace {

using Outcome = events::StepFinished::Outcome;

std::string step_of(const std::string& service) {
  return "rollout:" + service;
}

events::RolloutProgress progress_event(const std::string& service, const kube::RolloutStatus& status) {
  return {.step = step_of(service),
          .service = service,
          .desired = status.desired,
          .updated = status.updated,
          .ready = status.ready,
          .available = status.available,
          .old = status.old,
          .phase = status.summary};
}

events::Finding::Weight weight_of(kube::verdict::Weight weight) {
  switch (weight) {
    case kube::verdict::Weight::waiting:
      return events::Finding::Weight::waiting;
    case kube::verdict::Weight::probable:
      return events::Finding::Weight::probable;
    case kube::verdict::Weight::permanent:
      return events::Finding::Weight::permanent;
  }
  return events::Finding::Weight::waiting;
}

events::Finding finding_event(const std::string& service, const cluster::ExplainedFinding& explained) {
  const auto& finding = explained.finding;
  // A container that has just been started again has printed little: its last life tells more.
  const auto& log = explained.previous_log.empty() ? explained.log : explained.previous_log;
  return {.step = step_of(service),
          .service = service,
          .weight = weight_of(finding.weight),
          .object = finding.object,
          .reason = finding.reason,
          .message = finding.message,
          .advice = finding.advice,
          .log = log};
}

std::string result_line(const kube::RolloutOutcome& outcome) {
  const auto& status = outcome.status;
  switch (outcome.result) {
    case kube::RolloutResult::done:
      return fmt::format("{} of {} replicas available", status.available, status.desired);
    case kube::RolloutResult::failed:
      return outcome.findings.empty() ? status.summary : outcome.findings.front().reason;
    case kube::RolloutResult::undecided:
      return status.summary;
    case kube::RolloutResult::interrupted:
      return "interrupted; the cluster goes on with it";
  }
  return {};
}

Outcome step_outcome(kube::RolloutResult result, bool is_unchanged) {
  switch (result) {
    case kube::RolloutResult::done:
      return is_unchanged ? Outcome::unchanged : Outcome::done;
    case kube::RolloutResult::failed:
      return Outcome::failed;
    case kube::RolloutResult::undecided:
    case kube::RolloutResult::interrupted:
      return Outcome::skipped;
  }
  return Outcome::failed;
}

base::Error failure_of(const kube::RolloutOutcome& outcome) {
  if (outcome.findings.empty()) {
    return base::Error::make(base::ErrorCode::rollout_failed, "the rollout of {} failed: {}", outcome.service,
                             outcome.status.summary);
  }
  const auto& cause = outcome.findings.front();
  return base::Error::make(base::ErrorCode::rollout_failed, "the rollout of {} failed: {}: {}: {}", outcome.service,
                           cause.object, cause.reason, base::printable(cause.message))
      .with_hint("{}", cause.advice);
}

base::Error undecided_of(const kube::RolloutOutcome& outcome, std::chrono::milliseconds deadline) {
  return base::Error::make(base::ErrorCode::rollout_undecided, "the rollout of {} is undecided after {}: {}",
                           outcome.service, base::to_string(deadline), outcome.status.summary)
      .with_hint("it goes on in the cluster: 'deployctl status' shows it, 'deployctl undo {}' goes back",
                 outcome.service);
}

// The outcome that decides how the run ends: a failure says more than an undecided one, that more than an interruption.
base::Status verdict_of(const std::vector<kube::RolloutOutcome>& outcomes, std::chrono::milliseconds deadline) {
  const auto first = [&](kube::RolloutResult result) {
    return std::ranges::find(outcomes, result, &kube::RolloutOutcome::result);
  };
  if (const auto failed = first(kube::RolloutResult::failed); failed != outcomes.end()) {
    return failure_of(*failed);
  }
  if (first(kube::RolloutResult::interrupted) != outcomes.end()) {
    return base::Error::interrupted();
  }
  if (const auto undecided = first(kube::RolloutResult::undecided); undecided != outcomes.end()) {
    return undecided_of(*undecided, deadline);
  }
  return {};
}

// What is told without asking which step it belongs to.
cluster::RolloutObserver observer_for(const Ports& ports) {
  return {
      .on_status = [&ports](const std::string& service,
                            const kube::RolloutStatus& status) { ports.events.emit(progress_event(service, status)); },
      .on_finding = [&ports](
                        const std::string& service,
                        const cluster::ExplainedFinding& found) { ports.events.emit(finding_event(service, found)); },
      .on_outcome = {},
      .on_note =
          [&ports](const std::string& text) {
            ports.events.emit(events::Note{events::Note::Level::warning, text});
          },
  };
}

StepReport report_for(const std::string& service, const Ports& ports) {
  return {ports.events, ports.clock, step_of(service), service, fmt::format("rolling out {}", service)};
}

}  // namespace

base::Status await_rollouts(cluster::RolloutWatch& watch, const std::vector<std::string>& services,
                            const AwaitOptions& options, const Ports& ports) {
  std::map<std::string, StepReport> reports;
  for (const auto& service : services) {
    reports.emplace(service, report_for(service, ports));
  }
  auto observer = observer_for(ports);
  observer.on_outcome = [&](const kube::RolloutOutcome& outcome) {
    if (const auto report = reports.find(outcome.service); report != reports.end()) {
      report->second.finish(step_outcome(outcome.result, options.is_unchanged), result_line(outcome));
    }
  };
  const auto outcomes = watch.wait(ports.clock.steady_now() + options.deadline, observer, ports.stop);
  if (!outcomes) {
    return outcomes.error().within("watching the rollout");
  }
  return verdict_of(*outcomes, options.deadline);
}

// One rollout that is followed.
struct Rollouts::Entry {
  StepReport report;
  AwaitOptions options;
  Done done;
};

Rollouts::Rollouts(cluster::Client& client, const std::string& name_space, const Ports& ports)
    : ports_(ports), watch_(client, name_space), thread_([this] { run(); }) {}

Rollouts::~Rollouts() {
  watch_.close();
  thread_.join();
}

void Rollouts::run() {
  auto observer = observer_for(ports_);
  observer.on_outcome = [this](const kube::RolloutOutcome& outcome) { end(outcome); };
  const auto ran = watch_.run(observer, ports_.stop);
  end_all(ran ? base::Status(base::Error::interrupted()) : base::Status(ran.error().within("watching the rollout")));
}

void Rollouts::follow(kube::RolloutTarget target, const AwaitOptions& options, Done done) {
  const auto service = target.service;
  target.deadline = cluster::moment(ports_.clock.steady_now() + options.deadline);
  {
    const std::lock_guard lock(mutex_);
    if (!over_) {
      entries_.emplace(service, Entry{report_for(service, ports_), options, std::move(done)});
      watch_.follow(std::move(target));
      return;
    }
  }
  done(*over_);
}

void Rollouts::end(const kube::RolloutOutcome& outcome) {
  std::unique_lock lock(mutex_);
  auto entry = entries_.extract(outcome.service);
  lock.unlock();
  if (entry.empty()) {
    return;
  }
  auto& [report, options, done] = entry.mapped();
  report.finish(step_outcome(outcome.result, options.is_unchanged), result_line(outcome));
  done(verdict_of({outcome}, options.deadline));
}

// The watch ends early when it cannot work or the run is stopped; what came to be followed just then ends with it.
void Rollouts::end_all(const base::Status& why) {
  std::map<std::string, Entry> left;
  {
    const std::lock_guard lock(mutex_);
    over_ = why;
    left.swap(entries_);
  }
  for (auto& [service, entry] : left) {
    entry.report.finish(Outcome::skipped, why.error().message);
    entry.done(why);
  }
}

}  // namespace deployctl::execute
