// Runs of a canary as text: what was seen, and what was done about it.
#include "core/canary/progress.hpp"

#include "core/canary/settings_json.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace deployctl::canary {
namespace {

using namespace std::chrono_literals;

constexpr io::WallTime start = io::WallTime(1'700'000'000'000ms);

project::Gate http_gate() {
  return {.check = project::HttpGate{.path = "/health", .url = {}, .json = {}}};
}

project::Canary two_steps() {
  project::Canary canary;
  canary.steps = {{.weight = 10, .pause = 60s}, {.weight = 50, .pause = 60s}};
  canary.gates.gates = {http_gate()};
  canary.gates.max_wait = 120s;
  return canary;
}

Measurement passed() {
  return {.verdict = Verdict::pass, .message = "fine", .counters = std::nullopt};
}
Measurement failed() {
  return {.verdict = Verdict::fail, .message = "status 500", .counters = std::nullopt};
}
Measurement unclear() {
  return {.verdict = Verdict::inconclusive, .message = "no value", .counters = std::nullopt};
}

std::string to_text(const Next& next, io::WallTime now) {
  switch (next.what) {
    case Next::What::set_weight:
      return fmt::format("weight {}", next.weight);
    case Next::What::measure:
      return fmt::format("measure {}", next.gates.size());
    case Next::What::wait:
      return fmt::format("wait {}", base::to_string(next.until - now));
    case Next::What::hold:
      return "hold: " + next.reason;
    case Next::What::promote:
      return "promote: " + next.reason;
    case Next::What::abort:
      return "abort: " + next.reason;
    case Next::What::nothing:
      return "nothing";
  }
  return {};
}

// Carries a canary out in memory: weights hold at once, measuring gives what the test says, waiting moves the clock.
class Walk {
 public:
  explicit Walk(project::Canary canary) : canary_(std::move(canary)), progress_(beginning(canary_)) {}

  std::function<Measurement(std::size_t gate, base::Milliseconds since_start)> measure =
      [](std::size_t, base::Milliseconds) { return passed(); };

  // Until it ends, holds, or `most` turns have been taken.
  std::vector<std::string> to_end(int most = 1000) {
    std::vector<std::string> told;
    for (int turn = 0; turn < most; ++turn) {
      auto look = std::exchange(look_, Look{.now = {}, .wished_by = {}, .measured = {}});
      look.now = now_;
      const auto next = see(look);
      if (next.what == Next::What::set_weight) {
        told.push_back(to_text(next, now_));
        look_.is_weight_set = true;
      } else if (next.what == Next::What::measure) {
        for (const auto gate : next.gates) {
          look_.measured.push_back({gate, measure(gate, now_ - start)});
          ++measurements;
        }
      } else if (next.what == Next::What::wait) {
        now_ = next.until;
      } else {
        told.push_back(fmt::format("{} after {}", to_text(next, now_), base::to_string(now_ - start)));
        break;
      }
    }
    return told;
  }

  // Through its JSON form each time, as from machine to machine.
  Next see(const Look& look) {
    const auto read = progress_from_json(to_json(progress_));
    EXPECT_TRUE(read);
    EXPECT_EQ(*read, progress_);
    auto [progress, next] = advance(canary_, *read, look);
    progress_ = std::move(progress);
    return next;
  }

  int measurements = 0;
  project::Canary canary_;
  Progress progress_;
  io::WallTime now_ = start;
  Look look_{.now = start, .wished_by = {}, .measured = {}};
};

using Told = std::vector<std::string>;

TEST(Progress, WalksTheStepsAndPromotes) {
  Walk run(two_steps());
  EXPECT_EQ(run.to_end(), (Told{"weight 10", "weight 50", "promote: every step passed after 2m"}));
  EXPECT_EQ(run.measurements, 12);
  EXPECT_EQ(in_words(run.canary_, run.progress_), "promoting: every step passed");
}

TEST(Progress, NeedsNoGates) {
  auto canary = two_steps();
  canary.gates.gates.clear();
  Walk run(canary);
  EXPECT_EQ(run.to_end(), (Told{"weight 10", "weight 50", "promote: every step passed after 2m"}));
}

TEST(Progress, AbortsAtTheFirstFailureAboveTheLimit) {
  Walk run(two_steps());
  run.measure = [](std::size_t, base::Milliseconds at) { return at < 70s ? passed() : failed(); };
  EXPECT_EQ(run.to_end(), (Told{"weight 10", "weight 50", "abort: gate 1 (http) failed: status 500 after 1m10s"}));
}

TEST(Progress, AllowsAsManyFailuresOfAStepAsItIsTold) {
  auto canary = two_steps();
  canary.gates.gates[0].failure_limit = 2;
  Walk flapping(canary);
  flapping.measure = [](std::size_t, base::Milliseconds at) {
    return at == 10s || at == 30s || at == 70s || at == 90s ? failed() : passed();
  };
  EXPECT_EQ(flapping.to_end().back(), "promote: every step passed after 2m");

  Walk failing(canary);
  failing.measure = [](std::size_t, base::Milliseconds at) {
    return at == 10s || at == 30s || at == 50s ? failed() : passed();
  };
  EXPECT_EQ(failing.to_end().back(), "abort: gate 1 (http) failed: status 500 after 50s");
}

TEST(Progress, WaitsForSuccessesInARow) {
  auto canary = two_steps();
  canary.gates.gates[0].success_limit = 4;
  canary.gates.gates[0].failure_limit = 100;
  Walk run(canary);
  run.measure = [](std::size_t, base::Milliseconds at) { return at == 50s ? failed() : passed(); };
  EXPECT_EQ(run.to_end(), (Told{"weight 10", "weight 50", "promote: every step passed after 2m30s"}));
}

TEST(Progress, TakesFlappingForInconclusiveInTheEnd) {
  auto canary = two_steps();
  canary.gates.gates[0].success_limit = 2;
  canary.gates.gates[0].failure_limit = 1000;
  Walk run(canary);
  run.measure = [](std::size_t, base::Milliseconds at) { return at.count() / 10'000 % 2 == 0 ? passed() : failed(); };
  EXPECT_EQ(run.to_end().back(),
            "abort: inconclusive: gate 1 (http): passed 0 times in a row, 2 are needed; last: status 500 after 3m");
}

TEST(Progress, FollowsThePolicyWhenAGateCannotTellForTooLong) {
  for (const auto& [policy, end] : {
           std::pair{project::OnInconclusive::abort, "abort: inconclusive: gate 1 (http): no value after 2m"},
           std::pair{project::OnInconclusive::pause, "hold: inconclusive: gate 1 (http): no value after 2m"},
           std::pair{project::OnInconclusive::promote, "promote: every step passed after 4m"},
       }) {
    auto canary = two_steps();
    canary.gates.on_inconclusive = policy;
    Walk run(canary);
    run.measure = [](std::size_t, base::Milliseconds) { return unclear(); };
    EXPECT_EQ(run.to_end().back(), end);
  }
}

TEST(Progress, ForgivesAGateThatCouldNotTellForAWhile) {
  Walk run(two_steps());
  run.measure = [](std::size_t, base::Milliseconds at) { return at < 100s ? unclear() : passed(); };
  EXPECT_EQ(run.to_end(), (Told{"weight 10", "weight 50", "promote: every step passed after 2m40s"}));
}

TEST(Progress, FailsEvenWhereInconclusiveIsPromoted) {
  auto canary = two_steps();
  canary.gates.on_inconclusive = project::OnInconclusive::promote;
  Walk run(canary);
  run.measure = [](std::size_t, base::Milliseconds at) { return at < 130s ? unclear() : failed(); };
  EXPECT_EQ(run.to_end().back(), "abort: gate 1 (http) failed: status 500 after 2m10s");
}

TEST(Progress, AFindingAboutThePodsEndsItAtOnce) {
  for (const bool is_weight_set : {false, true}) {
    Walk run(two_steps());
    run.see({.now = start, .is_weight_set = is_weight_set, .wished_by = {}, .measured = {}});
    const auto next =
        run.see({.now = start, .broken = "pod/api-canary-1: CrashLoopBackOff", .wished_by = {}, .measured = {}});
    EXPECT_EQ(to_text(next, start), "abort: pod/api-canary-1: CrashLoopBackOff");
  }
}

TEST(Progress, HoldsUntilSomeonePromotes) {
  auto canary = two_steps();
  canary.steps = {{.weight = 25}, {.weight = 25, .waits_for_promote = true}, {.weight = 50, .pause = 30s}};
  Walk run(canary);
  EXPECT_EQ(run.to_end(), (Told{"weight 25", "hold: the step waits for 'deployctl promote' after 0s"}));
  EXPECT_EQ(in_words(run.canary_, run.progress_), "paused at 25 %: the step waits for 'deployctl promote'");
  EXPECT_EQ(run.to_end(), (Told{"hold: the step waits for 'deployctl promote' after 0s"}));

  auto promoted = run;
  const auto next = promoted.see({.now = start + 1h, .wish = Wish::promote, .wished_by = "mia", .measured = {}});
  EXPECT_EQ(to_text(next, start), "weight 50");
  promoted.now_ = start + 1h;
  EXPECT_EQ(promoted.to_end(), (Told{"weight 50", "promote: every step passed after 1h30s"}));

  auto fully = run;
  EXPECT_EQ(to_text(fully.see({.now = start, .wish = Wish::promote_fully, .wished_by = "mia", .measured = {}}), start),
            "promote: promoted by mia");

  auto aborted = run;
  EXPECT_EQ(to_text(aborted.see({.now = start, .wish = Wish::abort, .wished_by = "mia", .measured = {}}), start),
            "abort: aborted by mia");
}

TEST(Progress, AStepThatIsWatchedIsNotPassedOverForAWish) {
  Walk run(two_steps());
  for (int turn = 0; turn < 100 && (run.progress_.step == 0 || !run.progress_.is_weight_set); ++turn) {
    run.to_end(1);
  }
  const auto wish = [&](Wish what) { return Look{.now = run.now_, .wish = what, .wished_by = "mia", .measured = {}}; };
  auto taken_up = run;
  taken_up.progress_ = resumed(run.canary_, run.progress_);
  EXPECT_EQ(to_text(taken_up.see(wish(Wish::promote)), start), "weight 50");
  taken_up.look_ = {};
  EXPECT_TRUE(taken_up.to_end().back().starts_with("promote: every step passed"));

  auto fully = run;
  fully.progress_ = resumed(run.canary_, run.progress_);
  EXPECT_EQ(to_text(fully.see(wish(Wish::promote_fully)), start), "promote: promoted by mia");
}

TEST(Progress, TakenUpByAnotherProcessSetsTheShareAndWatchesTheStepAnew) {
  Walk run(two_steps());
  for (int turn = 0; turn < 100 && (run.progress_.step == 0 || !run.progress_.is_weight_set); ++turn) {
    run.to_end(1);
  }
  run.look_ = {};
  run.progress_ = resumed(run.canary_, run.progress_);
  run.now_ = start + 1h;
  EXPECT_EQ(run.to_end(), (Told{"weight 50", "promote: every step passed after 1h1m"}));
}

TEST(Progress, ADecisionIsNotTakenTwice) {
  Walk run(two_steps());
  run.to_end();
  run.progress_ = resumed(run.canary_, run.progress_);
  EXPECT_EQ(run.to_end(), (Told{"promote: every step passed after 2m"}));

  run.progress_.stage = Stage::promoted;
  EXPECT_EQ(run.to_end(), (Told{"nothing after 2m"}));
}

// Counters of an errors gate that grow by so much every ten seconds.
Walk with_counters(Counts canary_growth, Counts stable_growth) {
  auto canary = two_steps();
  canary.gates.gates = {{.check = project::ErrorsGate{.server = {}, .requests = {}, .errors = {}}}};
  Walk run(canary);
  run.measure = [=](std::size_t, base::Milliseconds at) {
    const auto looks = static_cast<double>(at.count() / 10'000);
    const auto grown = [&](const Counts& by) { return Counts{by.requests * looks, by.errors * looks}; };
    return Measurement{.message = {}, .counters = Measurement::Counters{grown(canary_growth), grown(stable_growth)}};
  };
  return run;
}

TEST(Progress, ComparesErrorsUntilItCanTell) {
  EXPECT_EQ(with_counters({100, 0}, {900, 0}).to_end().back(), "promote: every step passed after 2m");
  EXPECT_EQ(with_counters({100, 20}, {900, 1}).to_end(),
            (Told{"weight 10",
                  "abort: gate 1 (errors): the canary fails more often: 20 errors in 100 requests of the canary, 1 in "
                  "900 of the stable pods after 10s"}));
}

TEST(Progress, CallsTooLittleTrafficByItsName) {
  EXPECT_EQ(with_counters({1, 0}, {9, 0}).to_end().back(),
            "abort: inconclusive: gate 1 (errors): too little traffic: 17 requests of the canary, 100 are needed after "
            "3m");
  EXPECT_EQ(with_counters({0, 0}, {0, 0}).to_end().back(),
            "abort: inconclusive: gate 1 (errors): too little traffic: 0 requests of the canary, 100 are needed after "
            "3m");
  // Enough for a step, not enough for promotion.
  EXPECT_EQ(with_counters({12, 0}, {100, 0}).to_end().back(),
            "abort: inconclusive: gate 1 (errors): too little traffic to tell: 0 errors in 312 requests of the canary, "
            "0 in 2600 of the stable pods after 4m30s");
}

TEST(Settings, AreTheSameAfterTheirJsonForm) {
  project::Canary canary;
  canary.router = project::Router::istio;
  canary.steps = {{.weight = 5, .pause = 90s}, {.weight = 5, .waits_for_promote = true}};
  canary.header = project::RequestHeader{.name = "X-Canary", .value = "beta"};
  canary.cookie = "canary";
  project::HttpGate http{.path = "/health", .url = {}, .status = 204, .json = {{"/a", "b"}}, .within = 250ms};
  http.passes = 3;
  project::PrometheusGate prometheus{
      .server = "http://p", .query = "q", .at_least = 0.25, .requests = "r", .min_requests = 9};
  prometheus.token = project::SecretSource{project::SecretSource::From::file, "token"};
  project::ErrorsGate errors{.server = "http://p", .requests = "r", .errors = "e", .min_requests = 7, .ratio = 1.5};
  errors.token = project::SecretSource{project::SecretSource::From::environment, "TOKEN"};
  canary.gates.gates = {{.check = http, .interval = 5s}, {.check = prometheus, .failure_limit = 2}, {.check = errors}};
  canary.gates.on_inconclusive = project::OnInconclusive::pause;
  canary.gates.max_wait = 7s;

  const auto read = canary_from_json(to_json(canary));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read), to_json(canary));
  EXPECT_EQ(std::get<project::HttpGate>(read->gates.gates[0].check).within, 250ms);
  EXPECT_EQ(std::get<project::PrometheusGate>(read->gates.gates[1].check).token->name, "token");
  EXPECT_TRUE(read->steps[1].waits_for_promote);
  EXPECT_EQ(read->router, project::Router::istio);
}

TEST(Settings, OfANewerVersionAreRefused) {
  auto value = to_json(two_steps());
  value["router"] = "teleport";
  const auto read = canary_from_json(value);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "strategy.router is 'teleport', which this version does not know");
}

}  // namespace
}  // namespace deployctl::canary
