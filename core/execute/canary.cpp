#include "core/execute/canary.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/execute/apply.hpp"
#include "core/execute/canary_pods.hpp"
#include "core/execute/canary_writer.hpp"
#include "core/execute/find.hpp"
#include "core/execute/gates.hpp"
#include "core/execute/same_pods.hpp"
#include "core/execute/step_report.hpp"
#include "core/json/reader.hpp"
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

int replicas_of(const kube::Object& deployment) {
  return static_cast<int>(json::Reader(deployment.body).at("spec", "replicas").integer_or(1));
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

// Walks one canary from wherever it stands.
class Walk {
 public:
  explicit Walk(const CanaryRun& run) : run_(run), writer_(run) {}

  Result<CanaryEnd> run() {
    const auto live = find_object(run_.client, run_.parts.deployment.key(), run_.ports.stop);
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
    if (run_.settings.router == project::Router::replicas && !canary::can_share_service(run_.parts)) {
      return finish(report, unshareable());
    }
    wanted_ = std::max(1, replicas_of(**live));
    const auto taken_up = take_up();
    return finish(report, taken_up ? walk() : Result<CanaryEnd>(taken_up.error()));
  }

 private:
  // Why there is no canary; "" when there is one.
  Result<std::string> why_unneeded(const std::optional<kube::Object>& live) {
    if (!live) {
      return std::string("nothing runs yet to compare with");
    }
    if (!run_.parts.live.service) {
      return std::string("the pods that run have no Service yet; the next release has one");
    }
    const auto is_same = keeps_pods(run_.client, run_.parts.deployment, *live, run_.ports.stop);
    if (!is_same && !is_trial_refused(is_same.error())) {
      return is_same.error().within("comparing with what runs");
    }
    if (is_same && *is_same) {
      return std::string("the pods stay as they are");
    }
    const auto labels = json::Reader(live->body).at("spec", "template", "metadata", "labels");
    if (run_.settings.router == project::Router::replicas && !labels.at(kube::service_label).exists()) {
      return std::string("the pods that run are not labelled for it yet; the next release has one");
    }
    return std::string();
  }

  [[nodiscard]] Error unshareable() const {
    return Error::refused(
               "the ports of {} change their names and their numbers: no Service leads to stable pods and canary alike",
               run_.parts.name)
        .with_hint("change one of the two at a time, or choose another 'strategy' for this release");
  }

  // One that is kept goes on with the settings it began with. What a run was taking back when it ended is taken back to
  // the end first: that was about the release before, and this one begins anew.
  Status take_up() {
    kept_ = {.service = run_.parts.name, .settings = run_.settings, .progress = canary::beginning(run_.settings)};
    const auto before = run_.record.find(run_.parts.name);
    if (!before || before->is_over()) {
      return {};
    }
    if (before->progress.stage == Stage::aborting && before->progress.reason == taken_back) {
      writer_.note(Note::Level::info,
                   fmt::format("the canary of {} was being taken back: that comes to its end first", run_.parts.name));
      return abort_canary(run_, std::string(taken_back));
    }
    kept_.settings = before->settings;
    kept_.progress = canary::resumed(before->settings, before->progress);
    writer_.note(Note::Level::info, fmt::format("the canary of {} goes on: {}", run_.parts.name,
                                                canary::in_words(kept_.settings, kept_.progress)));
    return {};
  }

  Result<CanaryEnd> finish(StepReport& report, const Result<CanaryEnd>& end) {
    if (!end) {
      const bool is_interrupted = end.error().code == base::ErrorCode::interrupted;
      report.finish(is_interrupted ? Outcome::open : Outcome::failed,
                    is_interrupted ? where_it_stays() : end.error().message);
      return end.error();
    }
    if (*end == CanaryEnd::paused) {
      report.finish(Outcome::open, canary::in_words(kept_.settings, kept_.progress));
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
    auto first = first_look();
    if (!first) {
      return first.error();
    }
    auto look = std::move(*first);
    while (true) {
      look.now = run_.ports.clock.now();
      const auto step = kept_.progress.step;
      auto [progress, next] = canary::advance(kept_.settings, std::move(kept_.progress), look);
      kept_.progress = std::move(progress);
      tell_what_is_watched_first(look, step);
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

  void tell_what_is_watched_first(const canary::Look& look, std::size_t step_before) {
    const bool goes_on = kept_.progress.stage != Stage::stepping || kept_.progress.step != step_before;
    if (look.wish == canary::Wish::promote && !goes_on) {
      writer_.note(Note::Level::info,
                   fmt::format("canary of {}: this step waits for nobody and is watched to its end first; 'deployctl "
                               "promote --full' takes no further step",
                               run_.parts.name));
    }
  }

  // What was wished while nobody walked it, and whether its pods are there to wait with.
  Result<canary::Look> first_look() {
    canary::Look look;
    const auto deployment = find_object(run_.client, writer_.deployment_key(), run_.ports.stop);
    if (!deployment) {
      return deployment.error();
    }
    if (!*deployment) {
      step_again_when_holding();
      return look;
    }
    take_wish(**deployment, look);
    return look.wish ? answered(std::move(look), **deployment) : look;
  }

  // Its share leads to no pod for as long as it waits.
  void step_again_when_holding() {
    if (kept_.progress.stage == Stage::holding) {
      writer_.note(Note::Level::warning, fmt::format("somebody has deleted the Deployment of the canary of {}: it is "
                                                     "made again, and its step begins anew",
                                                     run_.parts.name));
      kept_.progress.stage = Stage::stepping;
    }
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
    if (const auto held = writer_.hold_autoscaler(wanted_); !held) {
      return held.error();
    }
    const auto made = writer_.make(shares.canary);
    if (!made) {
      return made.error();
    }
    canary::Look look;
    if (const auto ready = wait_for_pods(*made, look); !ready || !look.broken.empty()) {
      return ready ? Result<canary::Look>(std::move(look)) : ready.error();
    }
    if (const auto routed = writer_.route(kept_.settings, weight); !routed) {
      if (routed.error().code == base::ErrorCode::interrupted || routed.error().code == base::ErrorCode::unreachable) {
        return routed.error();
      }
      look.broken = base::to_string(routed.error());
      return look;
    }
    tell_share(weight, shares);
    look.is_weight_set = true;
    return look;
  }

  // `broken` when they will never be ready.
  Status wait_for_pods(const kube::Object& deployment, canary::Look& look) {
    auto broken = await_canary_pods(run_, deployment);
    if (!broken) {
      return broken.error();
    }
    look.broken = std::move(*broken);
    return {};
  }

  void tell_share(int weight, const canary::Shares& shares) {
    const bool is_by_pods = kept_.settings.router == project::Router::replicas;
    const auto share =
        is_by_pods ? fmt::format("{} of {} pods ({} %)", shares.canary, shares.canary + shares.stable, shares.percent())
                   : fmt::format("{} % of the requests", weight);
    writer_.note(Note::Level::info, fmt::format("canary of {}: {}; step {} of {}", run_.parts.name, share,
                                                kept_.progress.step + 1, kept_.settings.steps.size()));
  }

  // Whether all of them still are ready, and what users wish. Pods that are not ready any more are followed until they
  // are again, or are found to be broken.
  Result<canary::Look> look_at_pods(canary::Look look) {
    if (run_.ports.stop.stop_requested()) {
      return Error::interrupted();
    }
    if (run_.has_release_failed != nullptr && *run_.has_release_failed) {
      look.broken = "another service of the release has failed";
      return look;
    }
    const auto deployment = run_.client.get(writer_.deployment_key(), run_.ports.stop);
    if (!deployment) {
      if (deployment.error().code != base::ErrorCode::not_found) {
        return deployment.error();
      }
      look.broken = "the canary's Deployment is gone";
      return look;
    }
    take_wish(*deployment, look);
    if (look.wish) {
      return answered(std::move(look), *deployment);
    }
    if (json::Reader(deployment->body).at("status", "availableReplicas").integer_or() < replicas_of(*deployment)) {
      if (const auto ready = wait_for_pods(*deployment, look); !ready) {
        return ready.error();
      }
    }
    return look;
  }

  // A wish is fulfilled once. One that another has taken the place of meanwhile is not: the next look sees that one.
  Result<canary::Look> answered(canary::Look look, const kube::Object& deployment) {
    const json::Value patch = {{"metadata",
                                {{"resourceVersion", deployment.resource_version()},
                                 {"annotations", {{std::string(canary_wish_annotation), nullptr}}}}}};
    const auto patched = run_.client.patch(writer_.deployment_key(), cluster::PatchType::merge, patch,
                                           cluster::DryRun::no, run_.ports.stop);
    if (!patched && patched.error().code != base::ErrorCode::conflict) {
      return patched.error();
    }
    if (!patched) {
      look.wish.reset();
    }
    return look;
  }

  Error aborted(const std::string& reason) {
    auto error =
        Error::make(base::ErrorCode::rollout_failed, "the canary of {} was aborted: {}", run_.parts.name, reason);
    writer_.note(Note::Level::warning, fmt::format("aborting the canary of {}: {}", run_.parts.name, reason));
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
  CanaryWriter writer_;
  KeptCanary kept_;
  int wanted_ = 1;
  std::string told_;
};

}  // namespace

base::Result<CanaryEnd> run_canary(const CanaryRun& run) {
  return Walk(run).run();
}

}  // namespace deployctl::execute
