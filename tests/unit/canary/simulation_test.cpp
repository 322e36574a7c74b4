// How often a canary is judged wrongly: eleven thousand simulated canaries, each carried out by the state machine and
// the sequential test as a real one is, beside a gate that has one threshold for the error rate. docs/strategies.md
// shows the table; the random numbers have fixed seeds, so it is the same each time.
#include "core/canary/progress.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace deployctl::canary {
namespace {

using namespace std::chrono_literals;

constexpr int runs = 1000;  // of each scenario
constexpr auto look_every = 10s;
constexpr double threshold = 0.02;  // of the gate that has only one
constexpr io::WallTime start = io::WallTime(1'700'000'000'000ms);

enum class Truth { good, bad };

struct Scenario {
  std::string name;
  Truth truth = Truth::good;
  double requests = 50;  // a second, of all pods
  double stable_rate = 0.001;
  double canary_rate = 0.001;
};

const std::vector<Scenario> scenarios{
    {"equal, 0.1 % errors", Truth::good, 50, 0.001, 0.001},
    {"equal, 1 % errors", Truth::good, 50, 0.01, 0.01},
    {"equal, 3 % errors", Truth::good, 50, 0.03, 0.03},
    {"better, 3 % to 1 %", Truth::good, 50, 0.03, 0.01},
    {"worse, but tolerated: 0.1 % to 0.8 %", Truth::good, 50, 0.001, 0.008},
    {"equal, 0.1 % errors, 2 requests a second", Truth::good, 2, 0.001, 0.001},
    {"worse, 0.1 % to 2 %", Truth::bad, 50, 0.001, 0.02},
    {"worse, 1 % to 2 %", Truth::bad, 50, 0.01, 0.02},
    {"worse, 3 % to 6 %", Truth::bad, 50, 0.03, 0.06},
    {"broken, 0.1 % to 20 %", Truth::bad, 50, 0.001, 0.2},
    {"broken, 0.1 % to 20 %, 2 requests a second", Truth::bad, 2, 0.001, 0.2},
};

project::Canary settings() {
  project::Canary canary;
  canary.steps = {{.weight = 5, .pause = 2min}, {.weight = 25, .pause = 5min}, {.weight = 50, .pause = 5min}};
  canary.gates.gates = {
      {.check = project::ErrorsGate{.server = {}, .requests = {}, .errors = {}}, .interval = look_every}};
  canary.gates.max_wait = 5min;
  return canary;
}

// Requests of one kind of pods: how many there are, and fail, in the time between two looks.
class Traffic {
 public:
  Traffic(double requests_per_look, double error_rate)
      : good_(std::max(1e-9, requests_per_look * (1 - error_rate))),
        bad_(std::max(1e-9, requests_per_look * error_rate)) {}

  Counts next(std::mt19937_64& random) {
    const double errors = bad_(random);
    return {.requests = good_(random) + errors, .errors = errors};
  }

 private:
  std::poisson_distribution<int> good_;
  std::poisson_distribution<int> bad_;
};

struct Step {
  Traffic canary;
  Traffic stable;
};

std::vector<Step> traffic_of(const Scenario& scenario, const project::Canary& canary) {
  const double each_look = scenario.requests * static_cast<double>(std::chrono::seconds(look_every).count());
  std::vector<Step> steps;
  for (const auto& step : canary.steps) {
    const double share = step.weight / 100.0;
    steps.push_back(
        {Traffic(each_look * share, scenario.canary_rate), Traffic(each_look * (1 - share), scenario.stable_rate)});
  }
  return steps;
}

enum class End { promoted, aborted, inconclusive };

struct Outcome {
  End end = End::promoted;
  std::chrono::milliseconds after{0};
  bool is_above_threshold = false;  // at any look so far: where the other gate would have aborted
};

void grow(Counts& counter, const Counts& by) {
  counter.requests += by.requests;
  counter.errors += by.errors;
}

End end_of(const Next& next) {
  if (next.what == Next::What::promote) {
    return End::promoted;
  }
  return next.reason.starts_with("inconclusive") ? End::inconclusive : End::aborted;
}

Outcome simulate(const project::Canary& canary, std::vector<Step>& traffic, std::mt19937_64& random) {
  Outcome outcome;
  Measurement::Counters counters;
  auto progress = beginning(canary);
  Look look{.now = start, .wished_by = {}, .measured = {}};
  while (true) {
    auto [next_progress, next] = advance(canary, std::move(progress), look);
    progress = std::move(next_progress);
    look = Look{.now = look.now, .wished_by = {}, .measured = {}};
    if (next.what == Next::What::set_weight) {
      look.is_weight_set = true;
    } else if (next.what == Next::What::wait) {
      look.now = next.until;
    } else if (next.what == Next::What::measure) {
      if (look.now > start) {
        auto& step = traffic[progress.step];
        const auto grown = step.canary.next(random);
        outcome.is_above_threshold =
            outcome.is_above_threshold || (grown.requests > 0 && grown.errors / grown.requests > threshold);
        grow(counters.canary, grown);
        grow(counters.stable, step.stable.next(random));
      }
      look.measured.push_back({0, {.message = {}, .counters = counters}});
    } else {
      outcome.end = end_of(next);
      outcome.after = look.now - start;
      return outcome;
    }
  }
}

struct Tally {
  int promoted = 0;
  int aborted = 0;
  int inconclusive = 0;
  int above_threshold = 0;
  std::chrono::milliseconds median{0};  // until the decision
};

Tally tally(const Scenario& scenario, std::uint64_t seed) {
  const auto canary = settings();
  auto traffic = traffic_of(scenario, canary);
  std::mt19937_64 random(seed);
  Tally sum;
  std::vector<std::chrono::milliseconds> times;
  for (int run = 0; run < runs; ++run) {
    const auto outcome = simulate(canary, traffic, random);
    sum.promoted += outcome.end == End::promoted ? 1 : 0;
    sum.aborted += outcome.end == End::aborted ? 1 : 0;
    sum.inconclusive += outcome.end == End::inconclusive ? 1 : 0;
    sum.above_threshold += outcome.is_above_threshold ? 1 : 0;
    times.push_back(outcome.after);
  }
  std::ranges::nth_element(times, times.begin() + runs / 2);
  sum.median = times[runs / 2];
  return sum;
}

std::string percent(int count) {
  return fmt::format("{:.1f} %", 100.0 * count / runs);
}

std::string row(const Scenario& scenario, const Tally& sum) {
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", scenario.name,
                     scenario.truth == Truth::good ? "promote" : "abort", percent(sum.promoted), percent(sum.aborted),
                     percent(sum.inconclusive), base::human_duration(sum.median), percent(sum.above_threshold));
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Simulation, WrongVerdictsStayBelowTheRiskAndTheDocsShowThem) {
  std::string table =
      "| canary | right | promoted | aborted | inconclusive | median time | one threshold of 2 % aborts |\n"
      "|---|---|---|---|---|---|---|\n";
  std::uint64_t seed = 20'260'101;
  for (const auto& scenario : scenarios) {
    const auto sum = tally(scenario, seed++);
    table += row(scenario, sum);
    const int wrong = scenario.truth == Truth::good ? sum.aborted : sum.promoted;
    EXPECT_LE(wrong, runs * 5 / 100) << scenario.name;
    EXPECT_EQ(sum.promoted + sum.aborted + sum.inconclusive, runs);
  }
  const auto page = read_file(std::string(DEPLOYCTL_SOURCE_DIR) + "/docs/strategies.md");
  EXPECT_NE(page.find(table), std::string::npos) << "docs/strategies.md does not show this table:\n" << table;
}

}  // namespace
}  // namespace deployctl::canary
