#include "cli/report/ci_annotations.hpp"

#include "cli/report/plain.hpp"
#include "tests/unit/cli_report/sample.hpp"

#include <gtest/gtest.h>

namespace deployctl::cli::report {
namespace {

struct Reported {
  std::string log;
  std::string summary;
};

Reported report(CiSystem system, const std::vector<events::Event>& run) {
  Reported reported;
  const FixedClock clock;
  const Writer log = [&](std::string_view piece) { reported.log += piece; };
  CiAnnotations ci(
      {.system = system, .write = log, .summary = [&](std::string_view piece) { reported.summary += piece; }},
      std::make_unique<Plain>(log, Palette()), clock);
  for (const auto& event : run) {
    ci.emit(event);
  }
  return reported;
}

TEST(Escape, follows_the_rules_of_workflow_commands) {
  EXPECT_EQ(escape_command_data("100%\r\na:b,c"), "100%25%0D%0Aa:b,c");
  EXPECT_EQ(escape_command_property("100%\r\na:b,c"), "100%25%0D%0Aa%3Ab%2Cc");
}

TEST(GitHub, folds_steps_and_annotates_what_is_wrong) {
  const auto run = sample_run();
  EXPECT_EQ(
      report(CiSystem::github, run).log,
      "release of miniapp to prod\n"
      "::group::building api\n"
      "build:api: building api\n"
      "build:api: docker: #7 RUN go build ./cmd/api\n"
      "build:api: done: sha256:0123 (9.4s)\n"
      "::endgroup::\n"
      "::group::pushing api\n"
      "push:api: pushing api\n"
      "push:api: layer sha256:1234 (1 of 2): 2.0 KiB\n"
      "push:api: unchanged: registry/miniapp/api:1@sha256:0123 (0.1s)\n"
      "::endgroup::\n"
      "::group::rolling out api\n"
      "rollout:api: rolling out api\n"
      "rollout:api: deployment/api configured\n"
      "rollout:api: 1 of 3 updated, 3 ready, 3 available, 2 old: waiting for 2 of 3 replicas to be updated\n"
      "warning: policy/v1beta1 is deprecated\n"
      "::warning::policy/v1beta1 is deprecated\n"
      "rollout:api: failure: pod/api-7d9f-x2x: CrashLoopBackOff: back-off 10s restarting failed container\n"
      "rollout:api:   2 of 3 pods, for 14s; rule container-crashes; status.containerStatuses[api].state\n"
      "rollout:api:   advice: the program ends with exit code 1\n"
      "rollout:api:   api printed:\n"
      "rollout:api:   | panic: DB_PASSWORD is not set\n"
      "rollout:api:   | goroutine 1\n"
      "::error title=pod/api-7d9f-x2x%3A CrashLoopBackOff::back-off 10s restarting%0Afailed container%0Athe program "
      "ends with exit code 1%0Apanic: DB_PASSWORD is not set%0A\x1b[31mgoroutine 1\x1b[0m\n"
      "rollout:api: failed: CrashLoopBackOff (31s)\n"
      "::endgroup::\n"
      "rollout:web: skipped: api failed (0.0s)\n"
      "error: rolling out api: api does not start\n"
      "  hint: set DB_PASSWORD\n"
      "::error::rolling out api: api does not start%0Aset DB_PASSWORD\n"
      "failed after 42s\n");
}

TEST(GitHub, names_file_line_and_column_of_a_diagnostic) {
  std::string log;
  const FixedClock clock;
  CiAnnotations ci({.write = [&](std::string_view piece) { log += piece; }},
                   std::make_unique<Plain>([](std::string_view) {}, Palette()), clock);
  const auto file = std::make_shared<base::SourceFile>("my,app/deployctl.yaml", "a: 1\nprot: 2\n");
  ci.annotate(base::Diagnostic{base::Severity::error, {file, {2, 1}, 4}, "unknown key 'prot'", "did you mean 'port'?"});
  ci.annotate(base::Diagnostic{base::Severity::warning, {}, "50% sure", ""});
  EXPECT_EQ(log,
            "::error file=my%2Capp/deployctl.yaml,line=2,col=1::unknown key 'prot'%0Adid you mean 'port'?\n"
            "::warning::50%25 sure\n");
}

TEST(GitHub, has_no_group_open_while_several_steps_run) {
  using events::StepFinished;
  const auto log = report(CiSystem::github,
                          {
                              events::StepStarted{"build:a", "a", "building a"},
                              events::StepStarted{"build:b", "b", "building b"},
                              StepFinished{"build:a", "a", StepFinished::Outcome::done, "", {}},
                              StepFinished{"build:b", "b", StepFinished::Outcome::done, "", {}},
                          })
                       .log;
  EXPECT_EQ(log,
            "::group::building a\nbuild:a: building a\n::endgroup::\n"
            "build:b: building b\nbuild:a: done (0.0s)\nbuild:b: done (0.0s)\n");
}

TEST(GitHub, writes_a_summary_in_which_nothing_from_outside_is_markup) {
  auto run = sample_run();
  run.insert(run.end() - 2, events::StepFinished{"push:web", "web", events::StepFinished::Outcome::done, "<b>|`x`",
                                                 std::chrono::milliseconds(0)});
  EXPECT_EQ(report(CiSystem::github, run).summary,
            "### ❌ release of miniapp to prod: failed after 42s\n"
            "\n"
            "| step | outcome | time | result |\n|---|---|---|---|\n"
            "| build:api | done | 9.4s | sha256:0123 |\n"
            "| push:api | unchanged | 0.1s | registry/miniapp/api:1\\@sha256:0123 |\n"
            "| rollout:api | failed | 31s | CrashLoopBackOff |\n"
            "| rollout:web | skipped | 0.0s | api failed |\n"
            "| push:web | done | 0.0s | \\<b\\>\\|\\`x\\` |\n"
            "\n```text\n"
            "failure: pod/api-7d9f-x2x: CrashLoopBackOff: back-off 10s restarting failed container\n"
            "  2 of 3 pods, for 14s; rule container-crashes; status.containerStatuses[api].state\n"
            "  advice: the program ends with exit code 1\n"
            "  api printed:\n"
            "  | panic: DB_PASSWORD is not set\n"
            "  | goroutine 1\n"
            "```\n"
            "\n```text\nerror: rolling out api: api does not start\nhint: set DB_PASSWORD\n```\n");
}

TEST(GitLab, marks_sections_and_leaves_annotations_out) {
  using events::StepFinished;
  const auto log = report(CiSystem::gitlab,
                          {
                              events::StepStarted{"build:api/v1", "api", "building api"},
                              StepFinished{"build:api/v1", "api", StepFinished::Outcome::done, "", {}},
                              events::Failure{base::Error::failed("no")},
                          })
                       .log;
  EXPECT_EQ(log,
            "\x1b[0Ksection_start:1795250000:build_api_v1\r\x1b[0Kbuilding api\n"
            "build:api/v1: building api\nbuild:api/v1: done (0.0s)\n"
            "\x1b[0Ksection_end:1795250000:build_api_v1\r\x1b[0K\n"
            "error: no\n");
}

TEST(CiAnnotations, LeaveNoCommandInWhatOthersHavePrinted) {
  std::string text;
  const Writer keep = [&](std::string_view piece) { text += piece; };
  without_commands(CiSystem::github, keep)("api: | ##[stop-commands]x\n");
  without_commands(CiSystem::gitlab, keep)("api: | ##[x]\n");
  EXPECT_EQ(text, "api: | ## [stop-commands]x\napi: | ##[x]\n");
}

}  // namespace
}  // namespace deployctl::cli::report
