#include "cli/report/screen.hpp"

#include <gtest/gtest.h>

namespace deployctl::cli::report {
namespace {

TEST(Screen, writes_rows_over_the_old_ones_and_clears_behind_them) {
  Screen screen;
  EXPECT_EQ(screen.draw({}, {"one", "two"}, 80), "\x1b[?25l\r\x1b[?7lone\x1b[K\ntwo\x1b[K\n\x1b[?7h\x1b[J\x1b[?25h");
  EXPECT_EQ(screen.draw({"done"}, {"two"}, 80),
            "\x1b[?25l\r\x1b[2Adone\x1b[K\n\x1b[?7ltwo\x1b[K\n\x1b[?7h\x1b[J\x1b[?25h");
  EXPECT_EQ(screen.erase(80), "\r\x1b[1A\x1b[J");
  EXPECT_EQ(screen.erase(80), "");
}

TEST(Screen, finds_the_top_again_when_the_terminal_became_narrower) {
  Screen screen;
  screen.draw({}, {std::string(50, 'x'), "\x1b[31m" + std::string(20, 'y') + "\x1b[0m"}, 80);
  EXPECT_EQ(screen.erase(20), "\r\x1b[4A\x1b[J");
}

}  // namespace
}  // namespace deployctl::cli::report
