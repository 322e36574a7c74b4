// The diagnostic log: which requests are sent and which programs run, for finding out what went wrong. Not for results
// and not for progress; those are events.
#pragma once

#include "core/io/clock.hpp"
#include "core/io/process.hpp"

#include <string_view>

namespace deployctl::cli {

enum class LogLevel { off, debug };

// Sends the log of that level to stderr from now on.
void open_log(LogLevel level);
// One line, with time and level; any thread may call it. Nothing happens while the log is off.
void log_debug(std::string_view line);

// A runner that logs every program with its arguments (which never hold secrets), how it ended and how long it took.
class LoggingProcessRunner final : public io::ProcessRunner {
 public:
  LoggingProcessRunner(io::ProcessRunner& next, const io::Clock& clock) : next_(next), clock_(clock) {}

  base::Result<io::ExitStatus> run(const io::Command& command, const io::OutputSink& sink,
                                   std::stop_token stop) override;

 private:
  io::ProcessRunner& next_;
  const io::Clock& clock_;
};

}  // namespace deployctl::cli
