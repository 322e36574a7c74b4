#include "cli/report/tty.hpp"

#include "tests/unit/cli_report/sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace deployctl::cli::report {
namespace {

// How often a text is in another.
std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) {
    ++found;
  }
  return found;
}

struct Terminal {
  std::mutex mutex;
  std::vector<std::string> pieces;

  Writer writer() {
    return [this](std::string_view piece) {
      const std::lock_guard lock(mutex);
      pieces.emplace_back(piece);
    };
  }
  Tty::Options options() {
    return {.write = writer(),
            .size =
                [] {
                  return TerminalSize{60, 10};
                },
            .palette = Palette(),
            .glyphs = Glyphs::ascii};
  }
};

TEST(Tty, draws_while_steps_run_at_most_about_ten_times_a_second) {
  Terminal terminal;
  const FixedClock clock;
  {
    Tty tty(terminal.options(), clock);
    tty.emit(events::StepStarted{"build:api", "api", "building api"});
    for (int i = 0; i < 300; ++i) {
      tty.emit(events::Output{"build:api", "api", "docker", "line " + std::to_string(i)});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  EXPECT_GE(terminal.pieces.size(), 2U);
  EXPECT_LE(terminal.pieces.size(), 10U);
}

TEST(Tty, leaves_the_terminal_as_it_was_after_every_piece) {
  Terminal terminal;
  const FixedClock clock;
  {
    Tty tty(terminal.options(), clock);
    for (const auto& event : sample_run()) {
      tty.emit(event);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    tty.emit(events::StepStarted{"build:api", "api", "still running when it ends"});
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }
  for (const auto& piece : terminal.pieces) {
    EXPECT_EQ(count(piece, "\x1b[?25l"), count(piece, "\x1b[?25h"));
    EXPECT_EQ(count(piece, "\x1b[?7l"), count(piece, "\x1b[?7h"));
  }
  EXPECT_EQ(count(terminal.pieces.back(), "building"), 0U);
}

TEST(Tty, takes_the_board_away_while_others_write) {
  Terminal terminal;
  const FixedClock clock;
  Tty tty(terminal.options(), clock);
  tty.emit(events::StepStarted{"build:api", "api", "building api"});
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  tty.aside([&] { terminal.writer()("result\n"); });
  const std::lock_guard lock(terminal.mutex);
  const auto result = std::ranges::find(terminal.pieces, "result\n");
  ASSERT_NE(result, terminal.pieces.end());
  ASSERT_NE(result, terminal.pieces.begin());
  EXPECT_EQ(*(result - 1), "\r\x1b[1A\x1b[J");
}

TEST(Tty, needs_no_thread_for_what_is_no_step) {
  Terminal terminal;
  const FixedClock clock;
  Tty tty(terminal.options(), clock);
  tty.emit(events::Failure{base::Error::failed("no")});
  ASSERT_EQ(terminal.pieces.size(), 1U);
  EXPECT_NE(terminal.pieces[0].find("error: no"), std::string::npos);
}

}  // namespace
}  // namespace deployctl::cli::report
