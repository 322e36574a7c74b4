#include "core/io/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::io {
namespace {

using ::testing::ElementsAre;

// A program that prints its pieces one by one, until it is stopped.
class ScriptedRunner : public ProcessRunner {
 public:
  explicit ScriptedRunner(std::vector<std::pair<Stream, std::string>> pieces) : pieces_(std::move(pieces)) {}

  base::Result<ExitStatus> run(const Command& /*command*/, const OutputSink& sink, std::stop_token stop) override {
    for (const auto& [stream, piece] : pieces_) {
      if (stop.stop_requested()) {
        return base::Error::interrupted();
      }
      sink(stream, piece);
      ++printed;
    }
    return ExitStatus{.code = 3};
  }

  int printed = 0;

 private:
  std::vector<std::pair<Stream, std::string>> pieces_;
};

const Command program{.argv = {"git"}};

TEST(RunAndCapture, keeps_both_streams_apart_and_the_exit_status) {
  ScriptedRunner runner({{Stream::out, "a"}, {Stream::err, "x"}, {Stream::out, "b"}});
  const auto output = run_and_capture(runner, program, {});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "ab");
  EXPECT_EQ(output->err, "x");
  EXPECT_EQ(output->status.code, 3);
}

TEST(RunAndCapture, ends_a_program_that_prints_too_much) {
  ScriptedRunner runner({{Stream::out, "12345"}, {Stream::out, "6"}, {Stream::out, "7"}});
  const auto output = run_and_capture(runner, program, {}, 5);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().message, "git printed more than 5 B");
  EXPECT_EQ(runner.printed, 2);
}

TEST(RunAndCapture, passes_the_callers_stop_on) {
  ScriptedRunner runner({{Stream::out, "1"}});
  std::stop_source stop;
  stop.request_stop();
  const auto output = run_and_capture(runner, program, stop.get_token());
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, base::ErrorCode::interrupted);
}

std::vector<std::string> lines_of(const std::vector<std::string_view>& pieces, std::size_t limit = 100) {
  std::vector<std::string> lines;
  LineSplitter splitter([&](std::string_view line) { lines.emplace_back(line); }, limit);
  for (const auto piece : pieces) {
    splitter.add(piece);
  }
  splitter.finish();
  return lines;
}

TEST(LineSplitter, puts_pieces_together_into_lines) {
  EXPECT_THAT(lines_of({"a", "b\nc", "d\n", "\n", "e"}), ElementsAre("ab", "cd", "", "e"));
  EXPECT_THAT(lines_of({"a\r\nb\r", "\n"}), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of({}), ElementsAre());
  EXPECT_THAT(lines_of({"a\n"}), ElementsAre("a"));
}

TEST(LineSplitter, drops_the_rest_of_a_long_line) {
  EXPECT_THAT(lines_of({"12345", "678", "9\nab\n"}, 5), ElementsAre("12345", "ab"));
  EXPECT_THAT(lines_of({"12345\r\n", "12345\n"}, 5), ElementsAre("12345", "12345"));
}

TEST(LineSplitter, never_cuts_a_character_in_two) {
  EXPECT_THAT(lines_of({"ab镜\n"}, 4), ElementsAre("ab"));
}

}  // namespace
}  // namespace deployctl::io
