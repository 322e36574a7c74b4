// The composition root: the one place that makes the real files, processes, git, clock and network, and the reporter
// the user asked for. Commands get everything from here.
#pragma once

#include "cli/command.hpp"
#include "cli/options/global_options.hpp"
#include "core/base/diagnostic.hpp"
#include "core/base/result.hpp"
#include "core/events/event.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::cli {

class Runtime {
 public:
  Runtime(GlobalOptions options, Prints prints);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] const GlobalOptions& options() const { return options_; }
  // Results are one JSON document or NDJSON on stdout.
  [[nodiscard]] bool wants_json() const { return options_.output == OutputMode::json; }
  [[nodiscard]] bool stdin_is_terminal() const;
  // As a step of a GitHub or GitLab job.
  [[nodiscard]] bool runs_in_ci() const;

  // A cluster will be asked soon: what that takes is got ready beside whatever comes first.
  void expect_cluster();
  // The outside world for core. The first call starts listening for Ctrl-C and makes the reporter.
  execute::Ports ports();
  io::FileSystem& files();
  io::Environment& environment();

  // A result: goes to stdout as it is. A reader that went away (`| head`) ends the output silently; any
  // other failure is told by finish().
  void print(std::string_view text);
  // The exit code of a command that ends with `code`: a failure when its results could not be written, said on stderr.
  [[nodiscard]] int finish(int code);
  // Something people should know that is no result: stderr, not with --quiet.
  void remark(std::string_view text);
  // Shows what went wrong and returns its exit code.
  int fail(const base::Error& error);
  int fail(const base::Diagnostics& diagnostics);
  // Shows warnings, if there are any.
  void warn(const base::Diagnostics& diagnostics);

  // The project manifest the user means, decoded for the chosen environment; nothing when it has mistakes, which have
  // been shown then (`failure` is the exit code).
  struct LoadedTarget {
    std::optional<project::Target> target;
    base::SourcePtr source;  // what it was read from
    int failure = 0;
  };
  LoadedTarget load_target();
  // The Target of every environment the same project manifest names, in its order.
  std::vector<project::Target> load_environments(const LoadedTarget& loaded);

  // Bracket a run of effects: events RunStarted and RunFinished, and the reporter's last words.
  void begin_run(std::string_view command, const project::Target& target);
  // A run that no project manifest belongs to.
  void begin_run(std::string_view command);
  int end_run(const base::Status& outcome);

 private:
  struct Parts;
  std::string shown_path(const std::string& path);

  GlobalOptions options_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace deployctl::cli
