// Real processes, each in a process group of its own, so that ending one ends what it started too.
#pragma once

#include "core/io/process.hpp"

namespace deployctl::platform {

struct ProcessLimits {
  // Between TERM and KILL when a command is stopped or takes too long.
  std::chrono::milliseconds grace{3000};
  // How long output is still awaited after the command itself has ended: a process it left behind may hold the pipes.
  std::chrono::milliseconds drain{500};
};

// run() may be called from several threads at once.
class PosixProcessRunner : public io::ProcessRunner {
 public:
  explicit PosixProcessRunner(ProcessLimits limits = {}) : limits_(limits) {}

  base::Result<io::ExitStatus> run(const io::Command& command, const io::OutputSink& sink,
                                   std::stop_token stop) override;

 private:
  ProcessLimits limits_;
};

}  // namespace deployctl::platform
