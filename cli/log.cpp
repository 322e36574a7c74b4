#include "cli/log.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>

namespace deployctl::cli {

void open_log(LogLevel level) {
  if (level == LogLevel::off) {
    return;
  }
  const auto logger = spdlog::stderr_logger_mt("deployctl");
  logger->set_pattern("%H:%M:%S.%e %l %v");
  logger->set_level(spdlog::level::debug);
  spdlog::set_default_logger(logger);
}

void log_debug(std::string_view line) {
  spdlog::debug("{}", base::printable(line));
}

base::Result<io::ExitStatus> LoggingProcessRunner::run(const io::Command& command, const io::OutputSink& sink,
                                                       std::stop_token stop) {
  const auto begun = clock_.steady_now();
  log_debug("run " + base::join(command.argv, " "));
  auto status = next_.run(command, sink, std::move(stop));
  const auto elapsed = std::chrono::duration_cast<base::Milliseconds>(clock_.steady_now() - begun);
  const auto end = status ? fmt::format("exit {}", status->code) : base::to_string(status.error());
  log_debug(fmt::format("ran {}: {} after {}", command.argv.front(), end, base::human_duration(elapsed)));
  return status;
}

}  // namespace deployctl::cli
