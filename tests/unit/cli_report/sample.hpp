// A run as reporters see it, and a clock that stands still until it is told otherwise.
#pragma once

#include "core/events/event.hpp"
#include "core/io/clock.hpp"

#include <vector>

namespace deployctl::cli::report {

class FixedClock : public io::Clock {
 public:
  [[nodiscard]] io::WallTime now() const override { return io::WallTime(std::chrono::seconds(1'795'250'000)); }
  [[nodiscard]] io::SteadyTime steady_now() const override { return steady; }
  bool sleep_for(std::chrono::milliseconds /*duration*/, std::stop_token /*stop*/) override { return true; }

  io::SteadyTime steady{};
};

inline events::Finding sample_finding() {
  return {.step = "rollout:api",
          .service = "api",
          .weight = events::Finding::Weight::permanent,
          .rule = "container-crashes",
          .kind = "crash",
          .object = "pod/api-7d9f-x2x",
          .field = "status.containerStatuses[api].state",
          .container = "api",
          .reason = "CrashLoopBackOff",
          .message = "back-off 10s restarting\nfailed container",
          .advice = "the program ends with exit code 1",
          .affected = 2,
          .total = 3,
          .seen_for = std::chrono::seconds(14),
          .log = {"panic: DB_PASSWORD is not set", "\x1b[31mgoroutine 1\x1b[0m"}};
}

inline base::Error sample_error() {
  return base::Error::make(base::ErrorCode::rollout_failed, "api does not start")
      .within("rolling out api")
      .with_hint("set DB_PASSWORD");
}

inline std::vector<events::Event> sample_run() {
  using namespace std::chrono_literals;
  using events::StepFinished;
  return {
      events::RunStarted{"release", "miniapp", "prod", "0.1.0"},
      events::StepStarted{"build:api", "api", "building api"},
      events::Output{"build:api", "api", "docker", "#7 RUN go build ./cmd/api"},
      events::StepFinished{"build:api", "api", StepFinished::Outcome::done, "sha256:0123", 9400ms},
      events::StepStarted{"push:api", "api", "pushing api"},
      events::TransferProgress{"push:api", "api", "layer sha256:1234 (1 of 2)", 1024, 2048},
      events::TransferProgress{"push:api", "api", "layer sha256:1234 (1 of 2)", 2048, 2048},
      events::StepFinished{"push:api", "api", StepFinished::Outcome::unchanged, "registry/miniapp/api:1@sha256:0123",
                           120ms},
      events::StepStarted{"rollout:api", "api", "rolling out api"},
      events::ObjectApplied{"rollout:api", "api", "deployment/api", events::ObjectApplied::Change::configured},
      events::RolloutProgress{"rollout:api", "api", 3, 1, 3, 3, 2, "waiting for 2 of 3 replicas to be updated"},
      events::RolloutProgress{"rollout:api", "api", 3, 1, 3, 3, 2, "waiting for 2 of 3 replicas to be updated"},
      events::Note{events::Note::Level::warning, "policy/v1beta1 is deprecated"},
      sample_finding(),
      events::StepFinished{"rollout:api", "api", StepFinished::Outcome::failed, "CrashLoopBackOff", 31s},
      events::StepFinished{"rollout:web", "web", StepFinished::Outcome::skipped, "api failed", 0ms},
      events::Failure{sample_error()},
      events::RunFinished{5, 42s},
  };
}

}  // namespace deployctl::cli::report
