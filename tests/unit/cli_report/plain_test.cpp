#include "cli/report/plain.hpp"

#include "tests/unit/cli_report/sample.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace deployctl::cli::report {
namespace {

std::string report_run(Palette palette = Palette(), Verbosity verbosity = Verbosity::normal) {
  std::string text;
  Plain plain([&](std::string_view piece) { text += piece; }, palette, verbosity);
  for (const auto& event : sample_run()) {
    plain.emit(event);
  }
  return text;
}

TEST(Plain, says_one_fact_a_line_under_the_name_of_its_step) {
  EXPECT_EQ(report_run(),
            "release of miniapp to prod\n"
            "build:api: building api\n"
            "build:api: docker: #7 RUN go build ./cmd/api\n"
            "build:api: done: sha256:0123 (9.4s)\n"
            "push:api: pushing api\n"
            "push:api: layer sha256:1234 (1 of 2): 2.0 KiB\n"
            "push:api: unchanged: registry/miniapp/api:1@sha256:0123 (0.1s)\n"
            "rollout:api: rolling out api\n"
            "rollout:api: deployment/api configured\n"
            "rollout:api: 1 of 3 updated, 3 ready, 3 available, 2 old: waiting for 2 of 3 replicas to be updated\n"
            "warning: policy/v1beta1 is deprecated\n"
            "rollout:api: failure: pod/api-7d9f-x2x: CrashLoopBackOff: back-off 10s restarting failed container\n"
            "rollout:api:   2 of 3 pods, for 14s; rule container-crashes; status.containerStatuses[api].state\n"
            "rollout:api:   advice: the program ends with exit code 1\n"
            "rollout:api:   api printed:\n"
            "rollout:api:   | panic: DB_PASSWORD is not set\n"
            "rollout:api:   | goroutine 1\n"
            "rollout:api: failed: CrashLoopBackOff (31s)\n"
            "rollout:web: skipped: api failed (0.0s)\n"
            "error: rolling out api: api does not start\n"
            "  hint: set DB_PASSWORD\n"
            "failed after 42s\n");
}

TEST(Plain, when_quiet_says_only_what_failed_and_why) {
  const auto text = report_run(Palette(), Verbosity::quiet);
  EXPECT_TRUE(text.starts_with("rollout:api: failure: pod/api-7d9f-x2x")) << text;
  EXPECT_TRUE(text.ends_with("error: rolling out api: api does not start\n  hint: set DB_PASSWORD\n")) << text;
}

TEST(Plain, when_quiet_says_what_a_step_has_printed_once_it_has_failed) {
  std::string text;
  Plain plain([&](std::string_view piece) { text += piece; }, Palette(), Verbosity::quiet);
  for (int i = 1; i <= 22; ++i) {
    plain.emit(events::Output{.step = "task:api/migrate", .source = "migrate", .line = fmt::format("line {}", i)});
  }
  plain.emit(events::Output{.step = "build:api", .source = "docker", .line = "#7 done"});
  plain.emit(events::StepFinished{.step = "build:api", .outcome = events::StepFinished::Outcome::done});
  EXPECT_EQ(text, "");
  plain.emit(events::StepFinished{.step = "task:api/migrate", .outcome = events::StepFinished::Outcome::failed});
  EXPECT_TRUE(text.starts_with("task:api/migrate: migrate: line 3\n")) << text;
  EXPECT_TRUE(text.ends_with("task:api/migrate: migrate: line 22\n")) << text;
}

TEST(Plain, uses_colours_only_when_asked) {
  EXPECT_EQ(report_run().find('\x1b'), std::string::npos);
  EXPECT_NE(report_run(Palette(true)).find("\x1b[31merror:\x1b[0m rolling out api"), std::string::npos);
}

}  // namespace
}  // namespace deployctl::cli::report
