#include "core/canary/progress.hpp"

#include "core/base/overloaded.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace deployctl::canary {
namespace {

using project::Canary;
using What = Next::What;

TestOptions test_of(const project::ErrorsGate& gate) {
  return {.ratio = gate.ratio, .tolerated = gate.tolerated};
}

const project::ErrorsGate* errors_gate(const Canary& canary, std::size_t gate) {
  return std::get_if<project::ErrorsGate>(&canary.gates.gates[gate].check);
}

std::string_view kind_of(const project::Gate& gate) {
  return std::visit(base::Overloaded{
                        [](const project::HttpGate&) { return std::string_view("http"); },
                        [](const project::PrometheusGate&) { return std::string_view("prometheus"); },
                        [](const project::ErrorsGate&) { return std::string_view("errors"); },
                    },
                    gate.check);
}

// "gate 2 (prometheus)".
std::string name_of(const Canary& canary, std::size_t gate) {
  return fmt::format("gate {} ({})", gate + 1, kind_of(canary.gates.gates[gate]));
}

// What happened between two readings of the counters; nothing where one of them went back, as it does when a pod has
// gone or started anew.
std::optional<Measurement::Counters> between(const Measurement::Counters& before, const Measurement::Counters& after) {
  const Measurement::Counters grown{
      .canary = {after.canary.requests - before.canary.requests, after.canary.errors - before.canary.errors},
      .stable = {after.stable.requests - before.stable.requests, after.stable.errors - before.stable.errors}};
  const auto is_possible = [](const Counts& counts) { return counts.errors >= 0 && counts.requests >= counts.errors; };
  return is_possible(grown.canary) && is_possible(grown.stable) ? std::optional(grown) : std::nullopt;
}

std::string evidence_in_words(const Evidence& evidence) {
  return fmt::format("{:.0f} errors in {:.0f} requests of the canary, {:.0f} in {:.0f} of the stable pods",
                     evidence.canary.errors, evidence.canary.requests, evidence.stable.errors,
                     evidence.stable.requests);
}

// One call of advance(): the progress, and the decision once there is one.
class Turn {
 public:
  Turn(const Canary& canary, Progress progress, const Look& look)
      : canary_(canary), progress_(std::move(progress)), look_(look) {}

  Advance take() && {
    auto next = decide();
    return {std::move(progress_), std::move(next)};
  }

 private:
  Next decide() {
    if (progress_.stage == Stage::promoting || progress_.stage == Stage::aborting) {
      return decided();
    }
    if (progress_.stage == Stage::promoted || progress_.stage == Stage::aborted) {
      return {};
    }
    if (!look_.broken.empty()) {
      return abort(look_.broken);
    }
    if (look_.wish) {
      return fulfil(*look_.wish);
    }
    if (progress_.stage == Stage::holding) {
      return {.what = What::hold, .reason = progress_.reason};
    }
    return go_on();
  }

  Next go_on() {
    if (!progress_.is_weight_set && !look_.is_weight_set) {
      return set_weight();
    }
    if (!progress_.is_weight_set) {
      progress_.is_weight_set = true;
      progress_.since = look_.now;
    }
    for (const auto& [gate, measurement] : look_.measured) {
      if (auto end = take_in(gate, measurement)) {
        return std::move(*end);
      }
    }
    return watch();
  }

  Next decided() const {
    return {.what = progress_.stage == Stage::promoting ? What::promote : What::abort, .reason = progress_.reason};
  }

  Next abort(std::string reason) {
    progress_.stage = Stage::aborting;
    progress_.reason = std::move(reason);
    return decided();
  }

  Next promote(std::string reason) {
    progress_.stage = Stage::promoting;
    progress_.reason = std::move(reason);
    return decided();
  }

  Next hold(std::string reason) {
    progress_.stage = Stage::holding;
    progress_.reason = std::move(reason);
    return {.what = What::hold, .reason = progress_.reason};
  }

  Next set_weight() const { return {.what = What::set_weight, .weight = step().weight, .reason = {}}; }

  Next fulfil(Wish wish) {
    const auto by = look_.wished_by.empty() ? std::string() : " by " + look_.wished_by;
    switch (wish) {
      case Wish::abort:
        return abort("aborted" + by);
      case Wish::promote_fully:
        return promote("promoted" + by);
      case Wish::promote:
        break;
    }
    // A step that is still watched is not passed over for a wish: what its gates say is waited for.
    if (progress_.stage == Stage::stepping && !(progress_.is_weight_set && why_not_on().empty())) {
      return go_on();
    }
    progress_.stage = Stage::stepping;
    return next_step("promoted" + by);
  }

  // Nothing unless it ends the canary.
  std::optional<Next> take_in(std::size_t gate, const Measurement& measurement) {
    auto& seen = progress_.gates[gate];
    seen.measured = look_.now;
    seen.last = measurement.message;
    if (measurement.counters) {
      return take_in_counters(gate, *measurement.counters);
    }
    switch (measurement.verdict) {
      case Verdict::pass:
        seen.silent_since.reset();
        ++seen.successes;
        return std::nullopt;
      case Verdict::inconclusive:
        seen.silent_since = seen.silent_since.value_or(look_.now);
        seen.successes = 0;
        return std::nullopt;
      case Verdict::fail:
        break;
    }
    seen.silent_since.reset();
    seen.successes = 0;
    ++seen.failures;
    if (seen.failures <= canary_.gates.gates[gate].failure_limit) {
      return std::nullopt;
    }
    return abort(fmt::format("{} failed: {}", name_of(canary_, gate), measurement.message));
  }

  std::optional<Next> take_in_counters(std::size_t gate, const Measurement::Counters& counters) {
    auto& seen = progress_.gates[gate];
    const auto options = test_of(*errors_gate(canary_, gate));
    const auto before = std::exchange(seen.counters, counters);
    seen.silent_since.reset();
    if (before) {
      if (const auto grown = between(*before, counters)) {
        seen.evidence = add(seen.evidence, grown->canary, grown->stable, options);
      }
    }
    seen.last = evidence_in_words(seen.evidence);
    if (opinion_on(seen.evidence, options) == Opinion::worse) {
      return abort(fmt::format("{}: the canary fails more often: {}", name_of(canary_, gate), seen.last));
    }
    return std::nullopt;
  }

  // The share holds: measures, waits, or goes on.
  Next watch() {
    const auto against = why_not_on();
    const bool is_time_over = look_.now >= progress_.since + step().pause;
    if (is_time_over && (against.empty() || progress_.is_excused)) {
      return step().waits_for_promote ? hold("the step waits for 'deployctl promote'") : next_step("every step passed");
    }
    if (!progress_.is_excused) {
      if (const auto silent = longest_silence()) {
        return inconclusive(*silent);
      }
      if (look_.now >= progress_.since + step().pause + canary_.gates.max_wait) {
        return inconclusive(against);
      }
    }
    return measure_or_wait();
  }

  Next inconclusive(const std::string& reason) {
    switch (canary_.gates.on_inconclusive) {
      case project::OnInconclusive::abort:
        return abort("inconclusive: " + reason);
      case project::OnInconclusive::pause:
        return hold("inconclusive: " + reason);
      case project::OnInconclusive::promote:
        break;
    }
    progress_.is_excused = true;
    return watch();
  }

  // What a gate says that could not tell anything for too long.
  std::optional<std::string> longest_silence() const {
    for (std::size_t i = 0; i < progress_.gates.size(); ++i) {
      const auto& gate = progress_.gates[i];
      if (gate.silent_since && look_.now - *gate.silent_since >= canary_.gates.max_wait) {
        return fmt::format("{}: {}", name_of(canary_, i), gate.last);
      }
    }
    return std::nullopt;
  }

  // Why the next step cannot be taken yet; "" when it can.
  std::string why_not_on() const {
    for (std::size_t i = 0; i < progress_.gates.size(); ++i) {
      if (auto reason = why_not_through(i); !reason.empty()) {
        return fmt::format("{}: {}", name_of(canary_, i), reason);
      }
    }
    return {};
  }

  std::string why_not_through(std::size_t gate) const {
    const auto& seen = progress_.gates[gate];
    if (const auto* errors = errors_gate(canary_, gate)) {
      return why_not_through(*errors, seen);
    }
    const int wanted = canary_.gates.gates[gate].success_limit;
    if (seen.successes >= wanted) {
      return {};
    }
    return fmt::format("passed {} times in a row, {} are needed{}{}", seen.successes, wanted,
                       seen.last.empty() ? "" : "; last: ", seen.last);
  }

  // Between steps it is enough that nothing speaks against it; promotion wants to know.
  std::string why_not_through(const project::ErrorsGate& gate, const GateProgress& seen) const {
    if (!seen.counters || seen.silent_since) {
      return seen.last.empty() ? "not measured yet" : seen.last;
    }
    if (seen.evidence.canary.requests < gate.min_requests) {
      return fmt::format("too little traffic: {:.0f} requests of the canary, {} are needed",
                         seen.evidence.canary.requests, gate.min_requests);
    }
    if (is_last() && opinion_on(seen.evidence, test_of(gate)) != Opinion::not_worse) {
      return "too little traffic to tell: " + evidence_in_words(seen.evidence);
    }
    return {};
  }

  Next next_step(std::string reason) {
    if (is_last()) {
      return promote(std::move(reason));
    }
    const int before = step().weight;
    ++progress_.step;
    progress_.is_excused = false;
    progress_.reason.clear();
    for (auto& gate : progress_.gates) {
      gate.failures = 0;
      gate.successes = 0;
      gate.measured.reset();
      gate.silent_since.reset();
    }
    if (step().weight != before) {
      progress_.is_weight_set = false;
      progress_.since = {};
      return set_weight();
    }
    progress_.since = look_.now;
    return watch();
  }

  Next measure_or_wait() const {
    Next next{.what = What::measure, .gates = {}, .until = end_of_waiting(), .reason = {}};
    for (std::size_t i = 0; i < progress_.gates.size(); ++i) {
      const auto due = due_at(i);
      if (due <= look_.now) {
        next.gates.push_back(i);
      }
      next.until = std::min(next.until, due);
    }
    if (next.gates.empty()) {
      next.what = What::wait;
    } else {
      next.until = {};
    }
    return next;
  }

  io::WallTime due_at(std::size_t gate) const {
    const auto& settings = canary_.gates.gates[gate];
    const auto& measured = progress_.gates[gate].measured;
    return measured ? *measured + settings.interval : progress_.since + settings.initial_delay;
  }

  io::WallTime end_of_waiting() const {
    const auto end = progress_.since + step().pause;
    return look_.now < end ? end : end + canary_.gates.max_wait;
  }

  bool is_last() const { return progress_.step + 1 == canary_.steps.size(); }
  const project::CanaryStep& step() const { return canary_.steps[progress_.step]; }

  const Canary& canary_;
  Progress progress_;
  const Look& look_;
};

}  // namespace

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::stepping:
      return "stepping";
    case Stage::holding:
      return "holding";
    case Stage::promoting:
      return "promoting";
    case Stage::aborting:
      return "aborting";
    case Stage::promoted:
      return "promoted";
    case Stage::aborted:
      return "aborted";
  }
  return "";
}

Progress beginning(const Canary& canary) {
  Progress progress;
  progress.gates.resize(canary.gates.gates.size());
  return progress;
}

Progress resumed(const Canary& canary, Progress progress) {
  progress.is_weight_set = false;
  progress.since = {};
  progress.step = std::min(progress.step, canary.steps.size() - 1);
  progress.gates.resize(canary.gates.gates.size());
  for (auto& gate : progress.gates) {
    gate.measured.reset();
    gate.silent_since.reset();
    gate.successes = 0;
  }
  return progress;
}

Advance advance(const Canary& canary, Progress progress, const Look& look) {
  return Turn(canary, std::move(progress), look).take();
}

int weight_of(const Canary& canary, const Progress& progress) {
  return progress.step < canary.steps.size() ? canary.steps[progress.step].weight : 0;
}

std::string in_words(const Canary& canary, const Progress& progress) {
  const int weight = weight_of(canary, progress);
  switch (progress.stage) {
    case Stage::stepping:
      return fmt::format("step {} of {}, {} %", progress.step + 1, canary.steps.size(), weight);
    case Stage::holding:
      return fmt::format("paused at {} %: {}", weight, progress.reason);
    case Stage::promoting:
      return "promoting: " + progress.reason;
    case Stage::aborting:
      return "aborting: " + progress.reason;
    case Stage::promoted:
      return "promoted";
    case Stage::aborted:
      return "aborted: " + progress.reason;
  }
  return {};
}

}  // namespace deployctl::canary
