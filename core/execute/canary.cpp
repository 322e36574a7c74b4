#include "core/execute/canary.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/cluster/rollout_watch.hpp"
#include "core/execute/apply.hpp"
#include "core/execute/gates.hpp"
#include "core/execute/step_report.hpp"
#include "core/json/reader.hpp"
#include "core/kube/deployment.hpp"
#include "core/kube/labels.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace deployctl::execute {
namespace {

using base::Error;
using base::Result;
using base::Status;
using canary::Stage;
using events::Note;
using Outcome = events::StepFinished::Outcome;
using What = canary::Next::What;
using namespace std::chrono_literals;

// How often the canary's pods and the users' wishes are looked at.
constexpr std::chrono::milliseconds between_looks{2'000};
constexpr std::chrono::milliseconds between_questions{200};
constexpr std::chrono::milliseconds time_for_routes{60'000};
// Until nobody sends new requests, which nothing tells (docs/decisions/0004-drain-before-stop.md).
constexpr std::chrono::milliseconds drain{5'000};

Result<std::optional<kube::Object>> find(cluster::Client& client, const kube::ObjectKey& key, std::stop_token stop) {
  auto found = client.get(key, std::move(stop));
  if (found) {
    return std::optional(std::move(*found));
  }
  return found.error().code == base::ErrorCode::not_found ? Result<std::optional<kube::Object>>(std::nullopt)
                                                          : found.error();
}

int replicas_of(const kube::Object& deployment) {
  return static_cast<int>(json::Reader(deployment.body).at("spec", "replicas").integer_or(1));
}

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

// "promote ada@laptop".
void take_wish(const kube::Object& deployment, canary::Look& look) {
  const auto text = json::Reader(deployment.body).at("metadata", "annotations", canary_wish_annotation).string_or();
  const auto [wish, by] = base::split_once(text, ' ');
  if (wish == "promote") {
    look.wish = canary::Wish::promote;
  } else if (wish == "promote-fully") {
    look.wish = canary::Wish::promote_fully;
  } else if (wish == "abort") {
    look.wish = canary::Wish::abort;
  }
  look.wished_by = base::printable(by);
}

// What setting up, walking and taking back have in common.
class Hand {
 public:
  explicit Hand(const CanaryRun& run) : run_(run), stop_(run.ports.stop) {}

  Result<kube::Object> apply(const kube::Object& object) {
    auto applied = apply_object(run_.client, object, {.step = run_.step, .service = run_.parts.name}, run_.ports);
    return applied ? Result<kube::Object>(std::move(applied->object)) : applied.error();
  }

  // The share and everything that gives it, and the share seen to hold.
  Status route(const project::Canary& settings, int weight) {
    for (const auto& object : canary::routes_at(run_.parts, settings, weight)) {
      const auto applied = apply(object);
      if (!applied) {
        return applied.error();
      }
      if (settings.router == project::Router::gateway) {
        if (const auto taken_up = wait_for_gateways(*applied); !taken_up) {
          return taken_up;
        }
      }
    }
    return {};
  }

  Status remove(const kube::ObjectKey& key) {
    const auto removed = run_.client.remove(key, {.uid = {}, .resource_version = {}, .stop = stop_});
    return removed || removed.error().code == base::ErrorCode::not_found ? Status() : removed.error();
  }

  // What exists for the canary alone.
  Status remove_all(const project::Canary& settings) {
    for (const auto& key : canary::made_for_canary(run_.parts, settings)) {
      if (const auto removed = remove(key); !removed) {
        return removed.error().within("deleting {}", kube::to_string(key));
      }
    }
    return {};
  }

  [[nodiscard]] kube::ObjectKey canary_key() const {
    auto key = run_.parts.deployment.key();
    key.name = canary::canary_name(run_.parts.name);
    return key;
  }

  void note(Note::Level level, std::string text) { run_.ports.events.emit(Note{level, std::move(text)}); }

 private:
  Status wait_for_gateways(const kube::Object& applied) {
    const auto end = run_.ports.clock.steady_now() + time_for_routes;
    auto route = Result<kube::Object>(applied);
    while (true) {
      const auto why = canary::why_not_taken_up(*route);
      if (why.empty()) {
        return {};
      }
      if (run_.ports.clock.steady_now() >= end) {
        return Error::make(base::ErrorCode::rollout_undecided, "the route of {} does not hold after {}: {}",
                           run_.parts.name, base::to_string(time_for_routes), why);
      }
      if (!run_.ports.clock.sleep_for(between_questions, stop_)) {
        return Error::interrupted();
      }
      route = run_.client.get(applied.key(), stop_);
      if (!route) {
        return route.error();
      }
    }
  }

  const CanaryRun& run_;
  std::stop_token stop_;
};

// Walks one canary from wherever it stands.
class Walk {
 public:
  explicit Walk(const CanaryRun& run) : run_(run), hand_(run) {}

  Result<CanaryEnd> run() {
    const auto live = find(run_.client, run_.parts.deployment.key(), run_.ports.stop);
    if (!live) {
      return live.error();
    }
    const auto reason = why_unneeded(*live);
    if (!reason) {
      return reason.error();
    }
    StepReport report(run_.ports.events, run_.ports.clock, run_.step, run_.parts.name,
                      fmt::format("canary of {}", run_.parts.name));
    if (!reason->empty()) {
      report.finish(Outcome::unchanged, "no canary: " + *reason);
      return CanaryEnd::unneeded;
    }
    wanted_ = std::max(1, replicas_of(**live));
    take_up();
    return finish(report, walk());
  }

 private:
  // Why there is no canary; "" when there is one.
  Result<std::string> why_unneeded(const std::optional<kube::Object>& live) {
    if (!live) {
      return std::string("nothing runs yet to compare with");
    }
    const auto tried = run_.client.apply(run_.parts.deployment, {.force = cluster::Force::yes,
                                                                 .dry_run = cluster::DryRun::yes,
                                                                 .known_version = live->resource_version(),
                                                                 .stop = run_.ports.stop});
    if (!tried) {
      return tried.error().within("comparing with what runs");
    }
    if (kube::Deployment::from_json(tried->object.body).pod_template ==
        kube::Deployment::from_json(live->body).pod_template) {
      return std::string("the pods stay as they are");
    }
    const auto labels = json::Reader(live->body).at("spec", "template", "metadata", "labels");
    if (run_.settings.router == project::Router::replicas && !labels.at(kube::service_label).exists()) {
      return std::string("the pods that run are not labelled for it yet; the next release has one");
    }
    return std::string();
  }

  // One that is kept goes on with the settings it began with.
  void take_up() {
    kept_ = {.service = run_.parts.name, .settings = run_.settings, .progress = canary::beginning(run_.settings)};
    const auto before = run_.record.find(run_.parts.name);
    if (!before || before->progress.stage == Stage::aborted || before->progress.stage == Stage::promoted) {
      return;
    }
    kept_.settings = before->settings;
    kept_.progress = canary::resumed(before->settings, before->progress);
    hand_.note(Note::Level::info, fmt::format("the canary of {} goes on: {}", run_.parts.name,
                                              canary::in_words(kept_.settings, kept_.progress)));
  }

  Result<CanaryEnd> finish(StepReport& report, const Result<CanaryEnd>& end) {
    if (!end) {
      const bool is_interrupted = end.error().code == base::ErrorCode::interrupted;
      report.finish(is_interrupted ? Outcome::skipped : Outcome::failed,
                    is_interrupted ? where_it_stays() : end.error().message);
      return end.error();
    }
    if (*end == CanaryEnd::paused) {
      report.finish(Outcome::skipped, canary::in_words(kept_.settings, kept_.progress));
    } else {
      report.finish(Outcome::done, kept_.progress.reason);
    }
    return end;
  }

  std::string where_it_stays() const {
    return fmt::format(
        "interrupted; the canary stays as it is ({}): 'deployctl rollout' goes on, 'deployctl abort {}' "
        "takes it back",
        canary::in_words(kept_.settings, kept_.progress), run_.parts.name);
  }

  Result<CanaryEnd> walk() {
    auto look = first_look();
    while (true) {
      look.now = run_.ports.clock.now();
      auto [progress, next] = canary::advance(kept_.settings, std::move(kept_.progress), look);
      kept_.progress = std::move(progress);
      if (const auto noted = run_.record.note(kept_); !noted) {
        return noted.error();
      }
      switch (next.what) {
        case What::promote:
          return CanaryEnd::promote;
        case What::hold:
          return CanaryEnd::paused;
        case What::abort:
        case What::nothing:
          return aborted(next.reason);
        case What::set_weight:
        case What::measure:
        case What::wait:
          break;
      }
      auto seen = act(next);
      if (!seen) {
        return seen.error();
      }
      look = std::move(*seen);
    }
  }

  // What was wished while nobody walked it.
  canary::Look first_look() {
    canary::Look look;
    if (const auto deployment = run_.client.get(hand_.canary_key(), run_.ports.stop)) {
      take_wish(*deployment, look);
      if (look.wish) {
        (void)answered(look);
      }
    }
    return look;
  }

  Result<canary::Look> act(const canary::Next& next) {
    canary::Look look;
    if (next.what == What::set_weight) {
      return set_weight(next.weight);
    }
    if (next.what == What::measure) {
      for (const auto gate : next.gates) {
        const auto measured = measure(kept_.settings.gates.gates[gate], subject(), run_.client, run_.ports);
        if (!measured) {
          return measured.error();
        }
        tell(gate, *measured);
        look.measured.push_back({gate, *measured});
      }
    } else {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next.until - run_.ports.clock.now());
      run_.ports.clock.sleep_for(std::clamp(left, std::chrono::milliseconds(0), between_looks), run_.ports.stop);
    }
    return look_at_pods(std::move(look));
  }

  void tell(std::size_t gate, const canary::Measurement& measurement) {
    if (measurement.message.empty()) {
      return;
    }
    const auto* const verdict = measurement.verdict == canary::Verdict::pass   ? "passed"
                                : measurement.verdict == canary::Verdict::fail ? "failed"
                                                                               : "inconclusive";
    const auto line = fmt::format("gate {} {}: {}", gate + 1, verdict, measurement.message);
    if (line != told_) {
      told_ = line;
      run_.ports.events.emit(
          events::Output{.step = run_.step, .service = run_.parts.name, .source = "gates", .line = line});
    }
  }

  GateSubject subject() const {
    return {.service = run_.parts.name,
            .name_space = run_.parts.deployment.name_space(),
            .stable = run_.parts.name,
            .canary = canary::canary_name(run_.parts.name),
            .port = json::Reader(run_.parts.service.body).at("spec", "ports").at(0).at("name").string_or(),
            .directory = run_.directory,
            .header = kept_.settings.header,
            .cookie = kept_.settings.cookie};
  }

  // Pods first and their share after them: a route to what is not there answers with errors.
  Result<canary::Look> set_weight(int weight) {
    const auto shares = canary::shares_at(kept_.settings.router, weight, wanted_);
    if (run_.parts.autoscaler) {
      if (const auto held = hand_.apply(canary::held(*run_.parts.autoscaler, wanted_)); !held) {
        return held.error();
      }
    }
    if (const auto served = hand_.apply(canary::canary_service(run_.parts)); !served) {
      return served.error();
    }
    const auto applied = hand_.apply(canary::canary_deployment(run_.parts, shares.canary));
    if (!applied) {
      return applied.error();
    }
    canary::Look look;
    if (const auto ready = wait_for_pods(*applied, look); !ready || !look.broken.empty()) {
      return ready ? Result<canary::Look>(std::move(look)) : ready.error();
    }
    if (const auto routed = hand_.route(kept_.settings, weight); !routed) {
      if (routed.error().code == base::ErrorCode::interrupted) {
        return routed.error();
      }
      look.broken = base::to_string(routed.error());
      return look;
    }
    tell_share(weight, shares);
    look.is_weight_set = true;
    return look;
  }

  void tell_share(int weight, const canary::Shares& shares) {
    const bool is_by_pods = kept_.settings.router == project::Router::replicas;
    const auto share =
        is_by_pods ? fmt::format("{} of {} pods ({} %)", shares.canary, shares.canary + shares.stable, shares.percent())
                   : fmt::format("{} % of the requests", weight);
    hand_.note(Note::Level::info, fmt::format("canary of {}: {}; step {} of {}", run_.parts.name, share,
                                              kept_.progress.step + 1, kept_.settings.steps.size()));
  }

  // Follows the canary's pods until they are ready; `broken` when they never will be.
  Status wait_for_pods(const kube::Object& deployment, canary::Look& look) {
    cluster::RolloutWatch watch(run_.client, deployment.name_space());
    auto target = cluster::target_of(run_.parts.name, deployment);
    target.patience = run_.patience;
    watch.follow(std::move(target));
    const cluster::RolloutObserver observer{
        .on_status =
            [&](const std::string&, const kube::RolloutStatus& status) {
              run_.ports.events.emit(events::RolloutProgress{.step = run_.step,
                                                             .service = run_.parts.name,
                                                             .desired = status.desired,
                                                             .updated = status.updated,
                                                             .ready = status.ready,
                                                             .available = status.available,
                                                             .old = status.old,
                                                             .phase = "canary: " + status.summary});
            },
        .on_finding =
            [&](const std::string&, const cluster::ExplainedFinding& found) {
              run_.ports.events.emit(finding_event(run_, found));
            },
        .on_outcome = {},
        .on_note = [&](const std::string& text) { hand_.note(Note::Level::warning, text); }};
    const auto outcomes = watch.wait(run_.ports.clock.steady_now() + run_.deadline, observer, run_.ports.stop);
    if (!outcomes) {
      return outcomes.error();
    }
    const auto& outcome = outcomes->front();
    switch (outcome.result) {
      case kube::RolloutResult::done:
        return {};
      case kube::RolloutResult::interrupted:
        return Error::interrupted();
      case kube::RolloutResult::unseen:
        return Error::unreachable("how the canary of {} stands is not known: {}", run_.parts.name, outcome.blind)
            .with_hint("it stays as it is: 'deployctl rollout' goes on, 'deployctl abort {}' takes it back",
                       run_.parts.name);
      case kube::RolloutResult::failed:
      case kube::RolloutResult::undecided:
        break;
    }
    look.broken = words_for(outcome);
    return {};
  }

  std::string words_for(const kube::RolloutOutcome& outcome) const {
    if (outcome.findings.empty() || outcome.result == kube::RolloutResult::undecided) {
      return fmt::format("the canary's pods are not ready after {}: {}", base::to_string(run_.deadline),
                         outcome.status.summary);
    }
    const auto& cause = outcome.findings.front();
    return fmt::format("{}: {}: {}", cause.object, cause.reason, base::printable(cause.message));
  }

  // Whether all of them still are ready, and what users wish. Pods that are not ready any more are followed until they
  // are again, or are found to be broken.
  Result<canary::Look> look_at_pods(canary::Look look) {
    if (run_.ports.stop.stop_requested()) {
      return Error::interrupted();
    }
    const auto deployment = run_.client.get(hand_.canary_key(), run_.ports.stop);
    if (!deployment) {
      if (deployment.error().code != base::ErrorCode::not_found) {
        return deployment.error();
      }
      look.broken = "the canary's Deployment is gone";
      return look;
    }
    take_wish(*deployment, look);
    if (look.wish) {
      return answered(std::move(look));
    }
    if (json::Reader(deployment->body).at("status", "availableReplicas").integer_or() < replicas_of(*deployment)) {
      if (const auto ready = wait_for_pods(*deployment, look); !ready) {
        return ready.error();
      }
    }
    return look;
  }

  // A wish is fulfilled once.
  Result<canary::Look> answered(canary::Look look) {
    const json::Value patch = {{"metadata", {{"annotations", {{std::string(canary_wish_annotation), nullptr}}}}}};
    const auto patched =
        run_.client.patch(hand_.canary_key(), cluster::PatchType::merge, patch, cluster::DryRun::no, run_.ports.stop);
    return patched ? Result<canary::Look>(std::move(look)) : patched.error();
  }

  Error aborted(const std::string& reason) {
    auto error =
        Error::make(base::ErrorCode::rollout_failed, "the canary of {} was aborted: {}", run_.parts.name, reason);
    hand_.note(Note::Level::warning, fmt::format("aborting the canary of {}: {}", run_.parts.name, reason));
    const auto back = abort_canary(run_, reason);
    if (!back) {
      return back.error().code == base::ErrorCode::interrupted
                 ? back.error()
                 : Error::make(base::ErrorCode::rollout_failed,
                               "the canary of {} was aborted ({}), and taking it back failed: {}", run_.parts.name,
                               reason, base::to_string(back.error()))
                       .with_hint("'deployctl abort {}' tries it again", run_.parts.name);
    }
    return error.with_hint("the stable pods were not touched; 'deployctl history' shows the release");
  }

  const CanaryRun& run_;
  Hand hand_;
  KeptCanary kept_;
  int wanted_ = 1;
  std::string told_;
};

}  // namespace

base::Result<CanaryEnd> run_canary(const CanaryRun& run) {
  return Walk(run).run();
}

base::Status end_canary(const CanaryRun& run) {
  Hand hand(run);
  const auto kept = run.record.find(run.parts.name);
  const auto made = find(run.client, hand.canary_key(), run.ports.stop);
  if (!made) {
    return made.error();
  }
  StepReport report(run.ports.events, run.ports.clock, run.step, run.parts.name,
                    fmt::format("removing the canary of {}", run.parts.name));
  if (!*made) {
    report.finish(Outcome::unchanged, "there is none");
    return {};
  }
  const auto& settings = kept ? kept->settings : run.settings;
  auto ended = hand.route(settings, 0);
  if (ended && !run.ports.clock.sleep_for(drain, run.ports.stop)) {
    ended = Error::interrupted();
  }
  if (ended) {
    ended = hand.remove_all(settings);
  }
  if (ended && kept) {
    auto promoted = *kept;
    promoted.progress.stage = Stage::promoted;
    ended = run.record.note(promoted);
  }
  report.finish(ended ? Outcome::done : Outcome::failed,
                ended ? "all requests go to the stable pods" : ended.error().message);
  return ended ? Status() : ended.error().within("removing the canary of {}", run.parts.name);
}

base::Status abort_recorded(const kube::Release& release, const KeptCanary& kept, CanaryRecord& record,
                            cluster::Client& client, const std::string& directory, const Ports& ports) {
  const auto parts = canary::parts_of(release.objects, kept.service);
  if (!parts) {
    return parts.error();
  }
  return abort_canary({.parts = *parts,
                       .settings = kept.settings,
                       .step = "canary:" + kept.service,
                       .directory = directory,
                       .record = record,
                       .client = client,
                       .ports = ports},
                      kept.progress.reason.empty() ? "taken back" : kept.progress.reason);
}

base::Status abort_canary(const CanaryRun& run, const std::string& reason) {
  Hand hand(run);
  auto kept = run.record.find(run.parts.name)
                  .value_or(KeptCanary{run.parts.name, run.settings, canary::beginning(run.settings)});
  kept.progress.stage = Stage::aborting;
  kept.progress.reason = reason;
  if (const auto noted = run.record.note(kept); !noted) {
    return noted;
  }
  if (const auto routed = hand.route(kept.settings, 0); !routed) {
    if (routed.error().code != base::ErrorCode::rollout_undecided) {
      return routed.error();
    }
    hand.note(Note::Level::warning, base::to_string(routed.error()));
  }
  if (!run.ports.clock.sleep_for(drain, run.ports.stop)) {
    return Error::interrupted();
  }
  if (run.parts.autoscaler) {
    if (const auto released = hand.apply(*run.parts.autoscaler); !released) {
      return released.error();
    }
  }
  if (const auto removed = hand.remove_all(kept.settings); !removed) {
    return removed;
  }
  kept.progress.stage = Stage::aborted;
  return run.record.note(kept);
}

}  // namespace deployctl::execute
