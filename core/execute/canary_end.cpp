// Taking a canary away: because the stable pods have the new version, or because they shall not get it.
#include "core/execute/canary.hpp"
#include "core/execute/canary_writer.hpp"
#include "core/execute/find.hpp"
#include "core/execute/step_report.hpp"

namespace deployctl::execute {
namespace {

using base::Error;
using base::Status;
using canary::End;
using canary::Stage;
using events::Note;
using Outcome = events::StepFinished::Outcome;

// Until nobody sends new requests, which nothing tells (docs/decisions/0004-drain-before-stop.md).
constexpr std::chrono::milliseconds drain{5'000};

Status take_away(const CanaryRun& run, const project::Canary& settings) {
  CanaryWriter writer(run);
  if (const auto routed = writer.route_to_stable(settings, End::promoted); !routed) {
    return routed;
  }
  if (!run.ports.clock.sleep_for(drain, run.ports.stop)) {
    return Error::interrupted();
  }
  return writer.remove_all(settings, End::promoted);
}

}  // namespace

Status end_canary(const CanaryRun& run) {
  auto kept = run.record.find(run.parts.name);
  const auto made = find_object(run.client, CanaryWriter(run).deployment_key(), run.ports.stop);
  if (!made) {
    return made.error();
  }
  StepReport report(run.ports.events, run.ports.clock, run.step, run.parts.name,
                    fmt::format("removing the canary of {}", run.parts.name));
  // Somebody may have deleted the Deployment alone, or a run was killed behind it: its Service and its share of the
  // requests are there all the same.
  const bool is_under_way = kept && !kept->is_over();
  if (!*made && !is_under_way) {
    report.finish(Outcome::unchanged, "there is none");
    return {};
  }
  auto ended = take_away(run, kept ? kept->settings : run.settings);
  if (ended && kept) {
    kept->progress.stage = Stage::promoted;
    ended = run.record.note(*kept);
  }
  report.finish(ended ? Outcome::done : Outcome::failed,
                ended ? "all requests go to the stable pods" : ended.error().message);
  return ended ? Status() : ended.error().within("removing the canary of {}", run.parts.name);
}

Status abort_recorded(const RecordedCanary& canary, cluster::Client& client, const Ports& ports) {
  const auto live =
      canary.live == nullptr ? std::nullopt : std::optional(std::span(std::as_const(canary.live->objects)));
  const auto parts = canary::parts_of(canary.release.objects, canary.kept.service, live);
  if (!parts) {
    return parts.error();
  }
  const auto& reason = canary.kept.progress.reason;
  return abort_canary({.parts = *parts,
                       .settings = canary.kept.settings,
                       .step = "canary:" + canary.kept.service,
                       .directory = {},
                       .record = canary.record,
                       .client = client,
                       .ports = ports},
                      reason.empty() ? std::string(taken_back) : reason);
}

Status abort_canary(const CanaryRun& run, const std::string& reason) {
  CanaryWriter writer(run);
  auto kept = run.record.find(run.parts.name)
                  .value_or(KeptCanary{run.parts.name, run.settings, canary::beginning(run.settings)});
  kept.progress.stage = Stage::aborting;
  kept.progress.reason = reason;
  if (const auto noted = run.record.note(kept); !noted) {
    return noted;
  }
  if (const auto routed = writer.route_to_stable(kept.settings, End::aborted); !routed) {
    if (routed.error().code != base::ErrorCode::rollout_undecided) {
      return routed.error();
    }
    writer.note(Note::Level::warning, base::to_string(routed.error()));
  }
  if (!run.ports.clock.sleep_for(drain, run.ports.stop)) {
    return Error::interrupted();
  }
  writer.release_autoscaler();
  if (const auto removed = writer.remove_all(kept.settings, End::aborted); !removed) {
    return removed;
  }
  kept.progress.stage = Stage::aborted;
  return run.record.note(kept);
}

}  // namespace deployctl::execute
