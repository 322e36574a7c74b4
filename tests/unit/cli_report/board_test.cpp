#include "cli/report/board.hpp"

#include "core/base/text.hpp"
#include "tests/unit/cli_report/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::cli::report {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

constexpr io::SteadyTime start{};

Board ascii_board() {
  return Board(Palette(), Glyphs::ascii);
}

TEST(Board, has_a_row_for_every_step_that_runs) {
  auto board = ascii_board();
  board.apply(events::StepStarted{"build:api", "api", "building api"}, start);
  board.apply(events::Output{"build:api", "api", "docker", "  #7 RUN\tgo build"}, start);
  board.apply(events::StepStarted{"push:web", "web", "pushing web"}, start + 8s);
  board.apply(events::TransferProgress{"push:web", "web", "layer 1 of 2", 3072, 4096}, start + 8s);
  board.apply(events::TransferProgress{"push:web", "web", "layer 2 of 2", 1024, 4096}, start + 8s);
  board.apply(events::StepStarted{"rollout:job", "job", "rolling out job"}, start + 12s);
  board.apply(events::RolloutProgress{"rollout:job", "job", 2, 1, 1, 1, 1, "waiting for 1 of 2 replicas"}, start + 12s);
  EXPECT_THAT(
      board.rows(start + 12s, 100, 10),
      ElementsAre(
          "| building api       12s  #7 RUN go build",
          "| pushing web       4.0s  ########........  4.0 KiB of 8.0 KiB  layer 2 of 2",
          "| rolling out job   0.0s  1 of 2 updated, 1 ready, 1 available, 1 old: waiting for 1 of 2 replicas"));
  EXPECT_TRUE(board.take_finished_lines().empty());
}

TEST(Board, keeps_what_is_finished_found_or_failed_above) {
  auto board = ascii_board();
  for (const auto& event : sample_run()) {
    board.apply(event, start);
  }
  EXPECT_FALSE(board.is_live());
  EXPECT_THAT(
      board.take_finished_lines(),
      ElementsAre("release of miniapp to prod",                                                                  //
                  "+ building api  9.4s  sha256:0123",                                                           //
                  "= pushing api  0.1s  unchanged  registry/miniapp/api:1@sha256:0123",                          //
                  "warning: policy/v1beta1 is deprecated",                                                       //
                  "api: failure: pod/api-7d9f-x2x: CrashLoopBackOff: back-off 10s restarting failed container",  //
                  "  2 of 3 pods, for 14s; rule container-crashes; status.containerStatuses[api].state",         //
                  "  advice: the program ends with exit code 1",                                                 //
                  "  api printed:",                                                                              //
                  "  | panic: DB_PASSWORD is not set",                                                           //
                  "  | goroutine 1",                                                                             //
                  "x rolling out api  31s  failed  CrashLoopBackOff",                                            //
                  "- rollout:web  0.0s  skipped  api failed",                                                    //
                  "error: rolling out api: api does not start",                                                  //
                  "  hint: set DB_PASSWORD",                                                                     //
                  "failed after 42s"));
  EXPECT_TRUE(board.take_finished_lines().empty());
}

TEST(Board, shows_the_last_output_of_a_step_that_failed) {
  auto board = ascii_board();
  board.apply(events::StepStarted{"build:api", "api", "building api"}, start);
  for (int i = 1; i <= 30; ++i) {
    board.apply(events::Output{"build:api", "api", "docker", std::to_string(i)}, start);
  }
  board.apply(events::StepFinished{"build:api", "api", events::StepFinished::Outcome::failed, "exit code 1", 2s},
              start);
  const auto lines = board.take_finished_lines();
  ASSERT_EQ(lines.size(), 21U);
  EXPECT_EQ(lines[0], "x building api  2.0s  failed  exit code 1");
  EXPECT_EQ(lines[1], "  | 11");
  EXPECT_EQ(lines[20], "  | 30");
}

TEST(Board, shows_what_may_pass_in_the_row_only) {
  auto board = ascii_board();
  board.apply(events::StepStarted{"rollout:api", "api", "rolling out api"}, start);
  board.apply(events::Finding{.step = "rollout:api",
                              .service = "api",
                              .weight = events::Finding::Weight::waiting,
                              .object = "pod/a",
                              .reason = "ContainerCreating"},
              start);
  EXPECT_TRUE(board.take_finished_lines().empty());
  EXPECT_THAT(board.rows(start, 80, 10), ElementsAre("| rolling out api   0.0s  waiting: pod/a: ContainerCreating"));
}

TEST(Board, keeps_within_the_terminal) {
  Board board(Palette(), Glyphs::unicode);
  for (int i = 0; i < 8; ++i) {
    const auto name = "rollout:" + std::to_string(i);
    board.apply(events::StepStarted{name, "", "正在发布服务接口的最新版本 " + std::to_string(i)}, start);
    board.apply(events::Output{name, "", "", "镜像拉取中镜像拉取中镜像拉取中 ContainerCreating"}, start);
  }
  for (const std::size_t width : {1, 2, 5, 10, 20, 33, 40, 60, 79, 200}) {
    for (const std::size_t height : {1, 3, 8, 20}) {
      const auto rows = board.rows(start, width, height);
      EXPECT_EQ(rows.size(), std::min<std::size_t>(height, 8));
      for (const auto& row : rows) {
        EXPECT_LE(base::display_width(row), width) << row;
      }
    }
  }
  EXPECT_EQ(board.rows(start, 60, 3).back(), "  and 6 more");
}

TEST(Fit, cuts_by_cells_and_shows_that_something_is_missing) {
  struct Row {
    std::string_view text;
    std::size_t width;
    std::string_view fitted;
  };
  const Row rows[] = {{"abc", 3, "abc"},
                      {"abcd", 3, "ab…"},
                      {"镜像服务", 8, "镜像服务"},
                      {"镜像服务", 7, "镜像服…"},
                      {"镜像服务", 6, "镜像…"},
                      {"abc", 1, "."},
                      {"abc", 0, ""}};
  for (const auto& row : rows) {
    EXPECT_EQ(fit(row.text, row.width), row.fitted) << row.text << " in " << row.width;
  }
  EXPECT_EQ(fit("abcdef", 5, Glyphs::ascii), "ab...");
}

}  // namespace
}  // namespace deployctl::cli::report
