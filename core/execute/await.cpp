#include "core/execute/await.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/execute/step_report.hpp"

#include <algorithm>
#include <map>
#include <memory>

namespace deployctl::execute {
namespace {

using Outcome = events::StepFinished::Outcome;

std::string step_of(const std::string& service) {
  return "rollout:" + service;
}

events::RolloutProgress progress_event(const std::string& step, const std::string& service,
                                       const kube::RolloutStatus& status) {
  return {.step = step,
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

events::Finding finding_event(const std::string& step, const std::string& service,
                              const cluster::ExplainedFinding& explained) {
  const auto& finding = explained.finding;
  return {.step = step,
          .service = service,
          .weight = weight_of(finding.weight),
          .rule = finding.rule,
          .kind = std::string(kube::verdict::to_string(finding.kind)),
          .object = finding.object,
          .field = finding.field,
          .container = finding.container,
          .reason = finding.reason,
          .message = finding.message,
          .advice = finding.advice,
          .affected = finding.affected,
          .total = finding.total,
          .seen_for = explained.seen_for,
          .log = explained.log,
          .previous_log = explained.previous_log,
          .context = explained.context};
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
    case kube::RolloutResult::unseen:
      return outcome.blind;
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
    case kube::RolloutResult::unseen:
    case kube::RolloutResult::interrupted:
      return Outcome::open;
  }
  return Outcome::failed;
}

// Whoever has changed the deployment meanwhile has the say now: we step back, which is another thing than a failure.
base::ErrorCode code_of(const kube::verdict::Finding& cause) {
  return cause.kind == kube::verdict::Class::superseded ? base::ErrorCode::refused : base::ErrorCode::rollout_failed;
}

std::string describe(const kube::verdict::Finding& cause) {
  return fmt::format("{}: {}: {}", cause.object, cause.reason, base::printable(cause.message));
}

base::Error failure_of(const kube::RolloutOutcome& outcome) {
  if (outcome.findings.empty()) {
    return base::Error::make(base::ErrorCode::rollout_failed, "the rollout of {} failed: {}", outcome.service,
                             outcome.status.summary);
  }
  const auto& cause = outcome.findings.front();
  return base::Error::make(code_of(cause), "the rollout of {} failed: {}", outcome.service, describe(cause))
      .with_hint("{}", cause.advice);
}

// What is usual explains nothing while it has not lasted; what is not may be the cause from the beginning.
const kube::verdict::Finding* likely_cause(const kube::RolloutOutcome& outcome) {
  const auto explains = [](const kube::verdict::Finding& finding) {
    return finding.weight != kube::verdict::Weight::waiting || !finding.is_usual;
  };
  const auto found = std::ranges::find_if(outcome.findings, explains);
  return found == outcome.findings.end() ? nullptr : &*found;
}

base::Error undecided_of(const kube::RolloutOutcome& outcome, std::chrono::milliseconds deadline) {
  const auto* cause = likely_cause(outcome);
  const auto how_sure = cause != nullptr && cause->weight == kube::verdict::Weight::waiting ? "perhaps" : "probably";
  return base::Error::make(base::ErrorCode::rollout_undecided, "the rollout of {} is undecided after {}: {}{}",
                           outcome.service, base::to_string(deadline), outcome.status.summary,
                           cause == nullptr ? "" : fmt::format("; {} because of {}", how_sure, describe(*cause)))
      .with_hint("{}", cause == nullptr ? "" : cause->advice);
}

base::Error unseen_of(const kube::RolloutOutcome& outcome) {
  return base::Error::unreachable("how the rollout of {} stands is not known: {}", outcome.service, outcome.blind)
      .with_hint("it may go on in the cluster: 'deployctl status' shows it");
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
  if (const auto unseen = first(kube::RolloutResult::unseen); unseen != outcomes.end()) {
    return unseen_of(*unseen);
  }
  if (const auto undecided = first(kube::RolloutResult::undecided); undecided != outcomes.end()) {
    return undecided_of(*undecided, deadline);
  }
  return {};
}

void tell_note(const std::string& text, const Ports& ports) {
  ports.events.emit(events::Note{events::Note::Level::warning, text});
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
  const cluster::RolloutObserver observer{
      .on_status =
          [&](const std::string& service, const kube::RolloutStatus& status) {
            ports.events.emit(progress_event(step_of(service), service, status));
          },
      .on_finding =
          [&](const std::string& service, const cluster::ExplainedFinding& found) {
            ports.events.emit(finding_event(step_of(service), service, found));
          },
      .on_pod = {},
      .on_outcome =
          [&](const kube::RolloutOutcome& outcome) {
            if (const auto report = reports.find(outcome.service); report != reports.end()) {
              report->second.finish(step_outcome(outcome.result, options.is_unchanged), result_line(outcome));
            }
          },
      .on_note = [&](const std::string& text) { tell_note(text, ports); },
  };
  const auto outcomes = watch.wait(ports.clock.steady_now() + options.deadline, observer, ports.stop);
  if (!outcomes) {
    return outcomes.error().within("watching the rollout");
  }
  return verdict_of(*outcomes, options.deadline);
}

PatienceByService patience_of(const project::Target& target) {
  PatienceByService patience;
  for (const auto& service : target.services) {
    for (const auto& [rule, wait] : service.strategy.rules) {
      patience[*service.name][rule] = wait;
    }
  }
  return patience;
}

Rollouts::Rollouts(cluster::Client& client, const std::string& name_space, WithJobs with_jobs,
                   cluster::AskRegistry ask_registry, PatienceByService patience, const Ports& ports)
    : ports_(ports),
      patience_(std::move(patience)),
      watch_(client, name_space, {.with_jobs = with_jobs == WithJobs::yes, .ask_registry = std::move(ask_registry)}),
      thread_([this] { run(); }) {}

Rollouts::~Rollouts() {
  watch_.close();
  thread_.join();
}

void Rollouts::follow(kube::RolloutTarget target, const AwaitOptions& options, Done done) {
  const auto service = target.service;
  const auto step = step_of(service);
  const auto report = std::make_shared<StepReport>(report_for(service, ports_));
  target.service = step;
  add(step,
      {.service = service,
       .on_status =
           [this, step, service](const kube::RolloutStatus& status) {
             ports_.events.emit(progress_event(step, service, status));
           },
       .observer = {.on_pod = {},
                    .on_end =
                        [report, service, options,
                         done = std::move(done)](const base::Result<kube::RolloutOutcome>& ended) {
                          if (!ended) {
                            report->finish(Outcome::open, ended.error().message);
                            done(ended.error());
                            return;
                          }
                          auto outcome = *ended;
                          outcome.service = service;
                          report->finish(step_outcome(outcome.result, options.is_unchanged), result_line(outcome));
                          done(verdict_of({outcome}, options.deadline));
                        }}},
      std::move(target), options.deadline);
}

void Rollouts::follow_job(const kube::Object& job, const std::string& step, const std::string& service,
                          std::chrono::milliseconds deadline, JobObserver observer) {
  add(step, {.service = service, .on_status = {}, .observer = std::move(observer)}, cluster::job_target(step, job),
      deadline);
}

void Rollouts::add(const std::string& step, Entry entry, kube::RolloutTarget target,
                   std::chrono::milliseconds deadline) {
  target.deadline = cluster::moment(ports_.clock.steady_now() + deadline);
  if (const auto own = patience_.find(entry.service); own != patience_.end()) {
    target.patience = own->second;
  }
  std::unique_lock lock(mutex_);
  if (over_) {
    lock.unlock();
    entry.observer.on_end(*over_);
    return;
  }
  entries_.emplace(step, std::move(entry));
  watch_.follow(std::move(target));
}

void Rollouts::run() {
  const auto ran = watch_.run(observer(), ports_.stop);
  end_all(ran ? base::Error::interrupted() : ran.error().within("watching the rollout"));
}

cluster::RolloutObserver Rollouts::observer() {
  return {
      .on_status =
          [this](const std::string& step, const kube::RolloutStatus& status) {
            if (const auto entry = find(step); entry && entry->on_status) {
              entry->on_status(status);
            }
          },
      .on_finding =
          [this](const std::string& step, const cluster::ExplainedFinding& found) {
            if (const auto entry = find(step)) {
              auto event = finding_event(step, entry->service, found);
              if (entry->observer.on_pod) {
                event.log.clear();  // the whole log is being told
                event.previous_log.clear();
              }
              ports_.events.emit(event);
            }
          },
      .on_pod =
          [this](const std::string& step, const kube::PodStarted& started) {
            if (const auto entry = find(step); entry && entry->observer.on_pod) {
              entry->observer.on_pod(started);
            }
          },
      .on_outcome = [this](const kube::RolloutOutcome& outcome) { end(outcome); },
      .on_note = [this](const std::string& text) { tell_note(text, ports_); },
  };
}

std::optional<Rollouts::Entry> Rollouts::find(const std::string& step) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(step);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

void Rollouts::end(const kube::RolloutOutcome& outcome) {
  std::unique_lock lock(mutex_);
  auto entry = entries_.extract(outcome.service);
  lock.unlock();
  if (!entry.empty()) {
    entry.mapped().observer.on_end(outcome);
  }
}

// The watch ends early when it cannot work or the run is stopped; what came to be followed just then ends with it.
void Rollouts::end_all(const base::Error& why) {
  std::map<std::string, Entry> left;
  {
    const std::lock_guard lock(mutex_);
    over_ = why;
    left.swap(entries_);
  }
  for (auto& [step, entry] : left) {
    entry.observer.on_end(why);
  }
}

}  // namespace deployctl::execute
