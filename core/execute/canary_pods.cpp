#include "core/execute/canary_pods.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/cluster/rollout_watch.hpp"

namespace deployctl::execute {
namespace {

events::Finding finding_event(const CanaryRun& run, const cluster::ExplainedFinding& explained) {
  using Weight = events::Finding::Weight;
  const auto& finding = explained.finding;
  const auto weight = finding.weight == kube::verdict::Weight::permanent  ? Weight::permanent
                      : finding.weight == kube::verdict::Weight::probable ? Weight::probable
                                                                          : Weight::waiting;
  return {.step = run.step,
          .service = run.parts.name,
          .weight = weight,
          .object = finding.object,
          .reason = finding.reason,
          .message = finding.message,
          .advice = finding.advice,
          .log = explained.previous_log.empty() ? explained.log : explained.previous_log};
}

std::string words_for(const CanaryRun& run, const kube::RolloutOutcome& outcome) {
  if (outcome.findings.empty() || outcome.result == kube::RolloutResult::undecided) {
    return fmt::format("the canary's pods are not ready after {}: {}", base::to_string(run.deadline),
                       outcome.status.summary);
  }
  const auto& cause = outcome.findings.front();
  return fmt::format("{}: {}: {}", cause.object, cause.reason, base::printable(cause.message));
}

cluster::RolloutObserver observer(const CanaryRun& run) {
  return {.on_status =
              [&run](const std::string&, const kube::RolloutStatus& status) {
                run.ports.events.emit(events::RolloutProgress{.step = run.step,
                                                              .service = run.parts.name,
                                                              .desired = status.desired,
                                                              .updated = status.updated,
                                                              .ready = status.ready,
                                                              .available = status.available,
                                                              .old = status.old,
                                                              .phase = "canary: " + status.summary});
              },
          .on_finding =
              [&run](const std::string&, const cluster::ExplainedFinding& found) {
                run.ports.events.emit(finding_event(run, found));
              },
          .on_outcome = {},
          .on_note =
              [&run](const std::string& text) {
                run.ports.events.emit(events::Note{events::Note::Level::warning, text});
              }};
}

}  // namespace

base::Result<std::string> await_canary_pods(const CanaryRun& run, const kube::Object& deployment) {
  cluster::RolloutWatch watch(run.client, deployment.name_space());
  auto target = cluster::target_of(run.parts.name, deployment);
  target.patience = run.patience;
  watch.follow(std::move(target));
  const auto outcomes = watch.wait(run.ports.clock.steady_now() + run.deadline, observer(run), run.ports.stop);
  if (!outcomes) {
    return outcomes.error();
  }
  const auto& outcome = outcomes->front();
  switch (outcome.result) {
    case kube::RolloutResult::done:
      return std::string();
    case kube::RolloutResult::interrupted:
      return base::Error::interrupted();
    case kube::RolloutResult::unseen:
      return base::Error::unreachable("how the canary of {} stands is not known: {}", run.parts.name, outcome.blind)
          .with_hint("it stays as it is: 'deployctl rollout' goes on, 'deployctl abort {}' takes it back",
                     run.parts.name);
    case kube::RolloutResult::failed:
    case kube::RolloutResult::undecided:
      break;
  }
  return words_for(run, outcome);
}

}  // namespace deployctl::execute
