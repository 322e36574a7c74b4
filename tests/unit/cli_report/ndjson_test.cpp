#include "cli/report/ndjson.hpp"

#include "tests/unit/cli_report/sample.hpp"

#include <gtest/gtest.h>

namespace deployctl::cli::report {
namespace {

TEST(Ndjson, writes_each_event_as_one_whole_line) {
  std::vector<std::string> pieces;
  const FixedClock clock;
  Ndjson ndjson([&](std::string_view piece) { pieces.emplace_back(piece); }, clock);
  ndjson.emit(events::Note{events::Note::Level::info, "two\nlines"});
  ndjson.emit(events::RunFinished{0, std::chrono::milliseconds(7)});
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0],
            "{\"v\":1,\"time\":\"2026-11-21T08:33:20.000Z\",\"type\":\"note\",\"level\":\"info\",\"text\":"
            "\"two\\nlines\"}\n");
  EXPECT_EQ(
      pieces[1],
      "{\"v\":1,\"time\":\"2026-11-21T08:33:20.000Z\",\"type\":\"run_finished\",\"exit_code\":0,\"elapsed_ms\":7}\n");
}

}  // namespace
}  // namespace deployctl::cli::report
