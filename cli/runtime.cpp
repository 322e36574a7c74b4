#include "cli/runtime.hpp"

#include "cli/log.hpp"
#include "cli/report/reporter.hpp"
#include "cli/version.hpp"
#include "core/base/text.hpp"
#include "core/http/proxy.hpp"
#include "core/http/trace.hpp"
#include "core/platform/file_body.hpp"
#include "core/platform/git_repository.hpp"
#include "core/platform/interrupts.hpp"
#include "core/platform/posix_environment.hpp"
#include "core/platform/posix_file_system.hpp"
#include "core/platform/posix_process.hpp"
#include "core/platform/system_clock.hpp"
#include "core/platform/system_transport.hpp"
#include "core/project/load.hpp"

#include <fmt/core.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <unistd.h>

namespace deployctl::cli {
namespace {

constexpr std::uint64_t largest_manifest = 64u << 20u;  // what is read at all; the parser's own limit is far lower

// CI is what nearly every system sets, to "true" or to "1".
bool in_pipeline(const io::Environment& environment) {
  const auto ci = base::to_lower(environment.get_or("CI", ""));
  return ci == "true" || ci == "1" || environment.get("GITHUB_ACTIONS") || environment.get("GITLAB_CI");
}

report::Look look_of(const GlobalOptions& options, Prints prints, const io::Environment& environment) {
  report::Look look;
  look.has_results = prints == Prints::results;
  const bool is_terminal = isatty(STDERR_FILENO) == 1 && environment.get_or("TERM", "dumb") != "dumb";
  const bool in_ci = in_pipeline(environment);
  look.mode = options.output;
  if (look.mode == OutputMode::automatic) {
    look.mode = is_terminal && !in_ci ? OutputMode::tty : OutputMode::plain;
  }
  const bool wants_color = is_terminal && !in_ci && !environment.get("NO_COLOR");
  look.use_color = options.color == ColorMode::always || (options.color == ColorMode::automatic && wants_color);
  look.is_quiet = options.quiet;
  return look;
}

// A project manifest that is not there is as wrong as one with mistakes in it.
base::Error as_invalid_project(base::Error error) {
  error.code = base::ErrorCode::invalid_input;
  return error;
}

}  // namespace

struct Runtime::Parts {
  Parts(const GlobalOptions& options, Prints prints)
      : transport(http::ProxyRules::from_environment(environment), "deployctl/" + std::string(version())),
        reporter(look_of(options, prints, environment), environment, clock) {}

  void begin(const events::RunStarted& run) {
    run_began = clock.steady_now();
    reporter.emit(run);
  }

  platform::PosixFileSystem files;
  platform::PosixProcessRunner processes;
  platform::PosixEnvironment environment;
  platform::SystemClock clock;
  platform::Libgit2Repository git;
  platform::SystemTransport transport;
  // The same with a line in the log for everything that is run and sent.
  LoggingProcessRunner logged_processes{processes, clock};
  http::TracingTransport logged_transport{transport, clock, log_debug};
  report::Reporter reporter;
  std::optional<platform::Interrupts> interrupts;
  io::SteadyTime run_began;
};

Runtime::Runtime(GlobalOptions options, Prints prints)
    : options_(std::move(options)), parts_(std::make_unique<Parts>(options_, prints)) {
  // Writing to a reader that went away is an ordinary error here, not a death.
  std::signal(SIGPIPE, SIG_IGN);
  open_log(options_.log_level);
}

Runtime::~Runtime() = default;

bool Runtime::runs_in_ci() const {
  return in_pipeline(parts_->environment);
}

bool Runtime::stdin_is_terminal() const {
  return isatty(STDIN_FILENO) == 1;
}

void Runtime::expect_cluster() {
  parts_->transport.expect_tls();
}

execute::Ports Runtime::ports() {
  if (!parts_->interrupts) {
    parts_->interrupts.emplace();
  }
  const bool is_logged = options_.log_level == LogLevel::debug;
  return {.files = parts_->files,
          .processes = is_logged ? static_cast<io::ProcessRunner&>(parts_->logged_processes) : parts_->processes,
          .environment = parts_->environment,
          .clock = parts_->clock,
          .git = parts_->git,
          .transport = is_logged ? static_cast<http::Transport&>(parts_->logged_transport) : parts_->transport,
          .open_file = [](const std::string& path) { return platform::open_file_body(path); },
          .events = parts_->reporter,
          .stop = parts_->interrupts->token()};
}

io::FileSystem& Runtime::files() {
  return parts_->files;
}

io::Environment& Runtime::environment() {
  return parts_->environment;
}

void Runtime::print(std::string_view text) {
  parts_->reporter.result(text);
}

int Runtime::finish(int code) {
  const auto reason = parts_->reporter.output_error();
  if (reason == 0) {
    return code;
  }
  const auto error = base::Error::failed("cannot write the results to stdout: {}", std::strerror(reason));
  if (options_.output == OutputMode::json) {  // whose errors go where nothing can be written
    std::fprintf(stderr, "error: %s\n", error.message.c_str());
  } else {
    fail(error);
  }
  return code == 0 ? base::exit_code(error.code) : code;
}

void Runtime::remark(std::string_view text) {
  parts_->reporter.emit(events::Note{events::Note::Level::info, std::string(text)});
}

int Runtime::fail(const base::Error& error) {
  parts_->reporter.emit(events::Failure{error});
  return base::exit_code(error.code);
}

int Runtime::fail(const base::Diagnostics& diagnostics) {
  parts_->reporter.diagnostics(diagnostics);
  return base::exit_code(base::ErrorCode::invalid_input);
}

void Runtime::warn(const base::Diagnostics& diagnostics) {
  if (!options_.quiet) {
    parts_->reporter.diagnostics(diagnostics);
  }
}

Runtime::LoadedTarget Runtime::load_target() {
  const auto path = options_.file.empty() ? project::find_manifest(files().current_directory(), files())
                                          : base::Result<std::string>(options_.file);
  if (!path) {
    return {.failure = fail(as_invalid_project(path.error()))};
  }
  auto text = files().read(*path, largest_manifest);
  if (!text) {
    return {.failure = fail(as_invalid_project(text.error().within("reading the project manifest")))};
  }
  const auto folder = files().canonical(io::parent_path(*path));
  if (!folder) {
    return {.failure = fail(folder.error())};
  }
  const auto source = std::make_shared<const base::SourceFile>(shown_path(*path), std::move(*text));
  auto loaded = project::load(source, *folder, options_.environment, files());
  if (!loaded.target) {
    return {.failure = fail(loaded.diagnostics)};
  }
  warn(loaded.diagnostics);
  return {.target = std::move(loaded.target), .source = source};
}

std::vector<project::Target> Runtime::load_environments(const LoadedTarget& loaded) {
  std::vector<project::Target> targets;
  for (const auto& environment : loaded.target->environments) {
    // load_target() has checked every environment already.
    if (auto other = project::load(loaded.source, loaded.target->directory, environment, files()); other.target) {
      targets.push_back(std::move(*other.target));
    }
  }
  return targets;
}

// Relative to where the user is, when the file lies below: short names can be clicked and read.
std::string Runtime::shown_path(const std::string& path) {
  const auto here = files().current_directory() + "/";
  return path.starts_with(here) ? path.substr(here.size()) : path;
}

void Runtime::begin_run(std::string_view command, const project::Target& target) {
  parts_->begin({.command = std::string(command),
                 .project = *target.project,
                 .environment = target.environment,
                 .version = std::string(version())});
}

void Runtime::begin_run(std::string_view command) {
  parts_->begin({.command = std::string(command), .version = std::string(version())});
}

int Runtime::end_run(const base::Status& outcome) {
  const auto code = outcome ? 0 : fail(outcome.error());
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(parts_->clock.steady_now() - parts_->run_began);
  parts_->reporter.emit(events::RunFinished{.exit_code = code, .elapsed = elapsed});
  return code;
}

}  // namespace deployctl::cli
