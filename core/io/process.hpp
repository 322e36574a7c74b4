// Running other programs: never through a shell, always with an end.
#pragma once

#include "core/base/result.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::io {

struct Command {
  std::vector<std::string> argv;                     // argv[0] is looked up on PATH unless it holds a '/'
  std::map<std::string, std::string> environment;    // added to ours
  std::vector<std::string> without_environment;      // removed from ours
  std::vector<std::string> only_environment;         // when not empty, of ours only these: "PATH", "DOCKER_*"
  std::string directory;                             // empty: ours
  std::string input;                                 // given on its stdin, which is closed then
  std::optional<std::chrono::milliseconds> timeout;  // nothing: until it ends or is stopped
};

enum class Stream { out, err };

// Called from the thread that called run(), with whatever arrived; pieces are not lines.
using OutputSink = std::function<void(Stream, std::string_view)>;

struct ExitStatus {
  int code = 0;    // 128 + signal when a signal ended it
  int signal = 0;  // 0: it ended by itself
  [[nodiscard]] bool is_success() const { return code == 0 && signal == 0; }
};

struct Output {
  ExitStatus status;
  std::string out;
  std::string err;
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;

  // Runs the command in a process group of its own and gives its output to the sink as it comes. not_found when there
  // is no such program; interrupted when `stop` was requested and failed after the timeout: in both cases the whole
  // group has been ended (TERM, then KILL) and reaped before this returns.
  virtual base::Result<ExitStatus> run(const Command& command, const OutputSink& sink, std::stop_token stop) = 0;
};

// Runs it and keeps what it printed, at most `limit` bytes of each stream (failed when it printed more).
base::Result<Output> run_and_capture(ProcessRunner& runner, const Command& command, std::stop_token stop,
                                     std::size_t limit = 4u << 20u);

// Cuts a stream of pieces into lines without their endings (LF or CRLF); a line is at most `limit` bytes, the rest of
// it is dropped.
class LineSplitter {
 public:
  explicit LineSplitter(std::function<void(std::string_view)> on_line, std::size_t limit = 64u << 10u);
  void add(std::string_view piece);
  // Gives out the last line if it had no line feed.
  void finish();

 private:
  void give_out();

  std::function<void(std::string_view)> on_line_;
  std::size_t limit_;
  std::string pending_;
  bool is_begun_ = false;
};

}  // namespace deployctl::io
