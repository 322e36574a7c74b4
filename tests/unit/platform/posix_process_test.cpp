#include "core/platform/posix_process.hpp"

#include "tests/unit/platform/temporary_directory.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace deployctl::platform {
namespace {

using base::ErrorCode;
using io::Command;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

using Clock = std::chrono::steady_clock;

Command shell(const std::string& script) {
  return {.argv = {"/bin/sh", "-c", script}};
}

base::Result<io::Output> capture(const Command& command) {
  PosixProcessRunner runner;
  return io::run_and_capture(runner, command, {});
}

// A process that has ended counts as gone even when nobody has reaped it yet.
bool is_alive(const std::string& pid) {
  const auto status = content_of("/proc/" + pid + "/status");
  return !status.empty() && status.find("State:\tZ") == std::string::npos;
}

bool is_gone_soon(const std::string& pid) {
  for (int attempt = 0; attempt < 100 && is_alive(pid); ++attempt) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  return !is_alive(pid);
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

TEST(PosixProcess, KeepsOutputStreamsApartAndTellsTheExitCode) {
  const auto output = capture(shell("echo result; echo progress >&2; exit 7"));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "result\n");
  EXPECT_EQ(output->err, "progress\n");
  EXPECT_EQ(output->status.code, 7);
  EXPECT_EQ(output->status.signal, 0);
}

TEST(PosixProcess, TellsTheSignalThatEndedTheProgram) {
  const auto output = capture(shell("kill -SEGV $$"));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->status.signal, SIGSEGV);
  EXPECT_EQ(output->status.code, 128 + SIGSEGV);
  EXPECT_FALSE(output->status.is_success());
}

TEST(PosixProcess, PassesLargeBinaryInputAndOutputThroughUnchanged) {
  std::string bytes(3u << 20u, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 31u >> 3u);
  }
  const auto output = capture({.argv = {"cat"}, .input = bytes});
  ASSERT_TRUE(output);
  EXPECT_TRUE(output->out == bytes);
}

TEST(PosixProcess, SurvivesAProgramThatDoesNotReadItsInput) {
  const auto output = capture({.argv = {"true"}, .input = std::string(1u << 20u, 'x')});
  ASSERT_TRUE(output);
  EXPECT_TRUE(output->status.is_success());
}

TEST(PosixProcess, PassesArgumentsWithoutAShell) {
  const auto output = capture({.argv = {"printf", "%s|", "a b", "$HOME", "", "'\"*"}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "a b|$HOME||'\"*|");
}

TEST(PosixProcess, NamesTheProgramThatIsNotThere) {
  const auto on_path = capture({.argv = {"no-such-program-here"}});
  ASSERT_FALSE(on_path);
  EXPECT_EQ(on_path.error().code, ErrorCode::not_found);
  EXPECT_EQ(on_path.error().message, "there is no program 'no-such-program-here' on PATH");

  const auto by_path = capture({.argv = {"/nowhere/docker"}});
  ASSERT_FALSE(by_path);
  EXPECT_EQ(by_path.error().code, ErrorCode::not_found);
  EXPECT_EQ(by_path.error().message, "cannot run '/nowhere/docker': no such file or directory");
}

TEST(PosixProcess, LooksUpProgramsOnThePathTheChildIsGiven) {
  const TemporaryDirectory directory;
  put(directory / "tool", "#!/bin/sh\necho found\n");
  ASSERT_TRUE(
      PosixFileSystem().write(directory / "bin/tool", content_of(directory / "tool"), io::Permissions::executable));
  const auto path = directory.path() + ":relative:" + directory / "bin";  // the first one is not executable
  EXPECT_EQ(capture({.argv = {"tool"}, .environment = {{"PATH", path}}})->out, "found\n");
}

TEST(PosixProcess, SaysThatTheWorkingDirectoryIsMissing) {
  const auto output = capture({.argv = {"true"}, .directory = "/nowhere/at/all"});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().message, "cannot run 'true' in '/nowhere/at/all': there is no such directory");
}

TEST(PosixProcess, RunsInTheGivenDirectory) {
  const TemporaryDirectory directory;
  const auto output = capture({.argv = {"pwd", "-P"}, .directory = directory.path()});
  ASSERT_TRUE(output);
  EXPECT_EQ(trimmed(output->out), std::filesystem::canonical(directory.path()));
}

TEST(PosixProcess, PassesOnOnlyTheEnvironmentThatIsNamed) {
  setenv("DEPLOYCTL_TEST_TOKEN", "secret", 1);
  setenv("DEPLOYCTL_TEST_PROXY", "http://proxy", 1);
  EXPECT_THAT(capture({.argv = {"env"}})->out, HasSubstr("DEPLOYCTL_TEST_TOKEN=secret\n"));
  EXPECT_THAT(capture({.argv = {"env"}, .without_environment = {"DEPLOYCTL_TEST_TOKEN"}})->out,
              Not(HasSubstr("DEPLOYCTL_TEST_TOKEN")));
  EXPECT_EQ(capture({.argv = {"env"}, .environment = {{"ADDED", "1"}}, .only_environment = {"DEPLOYCTL_TEST_P*"}})->out,
            "DEPLOYCTL_TEST_PROXY=http://proxy\nADDED=1\n");
  EXPECT_EQ(capture({.argv = {"env"},
                     .environment = {{"DEPLOYCTL_TEST_PROXY", "other"}},
                     .only_environment = {"DEPLOYCTL_TEST_P*"}})
                ->out,
            "DEPLOYCTL_TEST_PROXY=other\n");
}

TEST(PosixProcess, GivesTheProgramNothingButItsThreeDescriptors) {
  const int leaked = dup(STDERR_FILENO);  // as a library might open one, without close-on-exec
  const auto output = capture(shell("ls /proc/self/fd | tr '\\n' ' '"));
  close(leaked);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "0 1 2 3 ");  // 3 is the one ls reads the directory with
}

TEST(PosixProcess, EndsTheWholeGroupAfterTheTimeout) {
  auto command = shell("sleep 300 & echo $!; sleep 300 & echo $!; wait");
  command.timeout = milliseconds(300);
  std::string out;
  PosixProcessRunner runner({.grace = milliseconds(2000)});
  const auto start = Clock::now();
  const auto status = runner.run(command, [&](io::Stream, std::string_view piece) { out += piece; }, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::failed);
  EXPECT_EQ(status.error().message, "'/bin/sh' did not end within 300 ms and was stopped");
  EXPECT_LT(Clock::now() - start, milliseconds(2000)) << "sleep ends at the TERM, there is nothing to wait for";
  EXPECT_TRUE(is_gone_soon(out.substr(0, out.find('\n'))));
  EXPECT_TRUE(is_gone_soon(trimmed(out.substr(out.find('\n') + 1))));
}

TEST(PosixProcess, KillsWhatDoesNotListenToTheTermSignal) {
  auto command = shell("trap '' TERM; (trap '' TERM; sleep 300) & echo $!; wait; sleep 300");
  command.timeout = milliseconds(200);
  std::string out;
  PosixProcessRunner runner({.grace = milliseconds(200)});
  const auto start = Clock::now();
  const auto status = runner.run(command, [&](io::Stream, std::string_view piece) { out += piece; }, {});
  ASSERT_FALSE(status);
  EXPECT_LT(Clock::now() - start, milliseconds(5000));
  EXPECT_TRUE(is_gone_soon(trimmed(out)));
}

TEST(PosixProcess, StopsWhenAskedTo) {
  std::stop_source source;
  PosixProcessRunner runner;
  std::string pid;
  const auto start = Clock::now();
  const auto status = runner.run(
      shell("sleep 300 & echo $!; wait"),
      [&](io::Stream, std::string_view piece) {
        pid += piece;
        source.request_stop();
      },
      source.get_token());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::interrupted);
  EXPECT_LT(Clock::now() - start, milliseconds(2500));
  EXPECT_TRUE(is_gone_soon(trimmed(pid)));
  EXPECT_EQ(runner.run(shell("true"), {}, source.get_token()).error().code, ErrorCode::interrupted);
}

TEST(PosixProcess, StopsFromAnotherThreadWhileTheProgramIsSilent) {
  std::stop_source source;
  const std::jthread stopper([&source] {
    std::this_thread::sleep_for(milliseconds(100));
    source.request_stop();
  });
  PosixProcessRunner runner;
  const auto start = Clock::now();
  const auto status = runner.run(
      {.argv = {"sleep", "300"}}, [](auto&&...) {}, source.get_token());
  EXPECT_EQ(status.error().code, ErrorCode::interrupted);
  EXPECT_LT(Clock::now() - start, milliseconds(2500));
}

TEST(PosixProcess, StopsAProgramThatPrintsWithoutEnd) {
  auto command = Command{.argv = {"yes"}};
  command.timeout = milliseconds(200);
  std::size_t bytes = 0;
  PosixProcessRunner runner;
  const auto status = runner.run(command, [&](io::Stream, std::string_view piece) { bytes += piece.size(); }, {});
  EXPECT_FALSE(status);
  EXPECT_GT(bytes, 0u);
}

TEST(PosixProcess, DoesNotWaitForAProcessLeftBehindThatHoldsItsOutput) {
  const TemporaryDirectory directory;
  PosixProcessRunner runner({.drain = milliseconds(100)});
  std::string out;
  const auto start = Clock::now();
  const auto status =
      runner.run(shell("setsid sleep 20 & echo $!"), [&](io::Stream, std::string_view piece) { out += piece; }, {});
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->is_success());
  EXPECT_LT(Clock::now() - start, milliseconds(5000));
  kill(std::stoi(out), SIGKILL);
}

TEST(PosixProcess, LeavesNoChildAndNoDescriptorBehind) {
  ASSERT_TRUE(capture(shell("true")));
  const auto before = open_descriptors();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(capture(shell("echo x")));
    ASSERT_FALSE(capture({.argv = {"no-such-program-here"}}));
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no child is left, not even a zombie";
}

TEST(PosixProcess, EndsTheProgramWhenTheSinkThrows) {
  PosixProcessRunner runner;
  EXPECT_THROW(
      (void)runner.run({.argv = {"yes"}}, [](io::Stream, std::string_view) { throw std::runtime_error("sink"); }, {}),
      std::runtime_error);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace deployctl::platform
