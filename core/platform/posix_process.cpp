// One loop waits for everything at once: the child's two output pipes, room in its input pipe, its end (a pidfd, see
// pidfd_open(2)) and the wish to stop (an eventfd the stop callback writes to). The child is reaped last of all,
// because until then its process group id cannot belong to anybody else, and killing the group is safe.
#include "core/platform/posix_process.hpp"

#include "core/base/text.hpp"
#include "core/platform/posix_descriptor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace deployctl::platform {
namespace {

using base::Error;
using base::Result;
using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr std::size_t read_block = 64u << 10u;
constexpr Milliseconds poll_without_pidfd{20};

// ---- What the child is given ------------------------------------------------------------------------------------

bool matches(std::string_view name, const std::string& pattern) {
  return pattern.ends_with('*') ? name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1))
                                : name == pattern;
}

bool is_passed_on(std::string_view name, const io::Command& command) {
  const auto is_same = [name](const std::string& pattern) { return matches(name, pattern); };
  const auto& only = command.only_environment;
  return (only.empty() || std::ranges::any_of(only, is_same)) &&
         std::ranges::none_of(command.without_environment, is_same) && !command.environment.contains(std::string(name));
}

std::vector<std::string> child_environment(const io::Command& command) {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (is_passed_on(base::split_once(*entry, '=').first, command)) {
      variables.emplace_back(*entry);
    }
  }
  for (const auto& [name, value] : command.environment) {
    variables.push_back(name + "=" + value);
  }
  return variables;
}

// The strings as exec wants them. They must outlive the result.
std::vector<char*> null_terminated(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const auto& text : strings) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

bool is_executable_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::string search_path(const io::Command& command) {
  if (const auto given = command.environment.find("PATH"); given != command.environment.end()) {
    return given->second;
  }
  const char* ours = std::getenv("PATH");
  return ours != nullptr ? ours : "/usr/local/bin:/usr/bin:/bin";
}

// Relative entries of PATH are passed over: a project's folder must not decide which docker is run.
Result<std::string> find_program(const io::Command& command) {
  const auto& program = command.argv.front();
  if (program.find('/') != std::string::npos) {
    return program;
  }
  const auto path = search_path(command);
  for (const auto directory : base::split(path, ':')) {
    auto candidate = std::string(directory) + "/" + program;
    if (directory.starts_with('/') && is_executable_file(candidate)) {
      return candidate;
    }
  }
  return Error::not_found("there is no program '{}' on PATH", program);
}

// ---- Starting it ------------------------------------------------------------------------------------------------

class SpawnAttributes {
 public:
  // The child starts in a new group, with nothing blocked and with the default answer to the signals we may ignore.
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) {
      sigaddset(&signals, signal);
    }
    posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }

  void connect(const Descriptor& ours, int theirs) { posix_spawn_file_actions_adddup2(&actions_, ours.get(), theirs); }
  void change_directory(const std::string& path) { posix_spawn_file_actions_addchdir_np(&actions_, path.c_str()); }
  // Also what a library opened without close-on-exec stays with us.
  void close_all_else() { posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

struct Child {
  pid_t pid = -1;
  Descriptor end;  // readable once it has ended; not open on kernels without pidfd_open
  Descriptor input;
  Descriptor out;
  Descriptor err;
};

Error spawn_error(const io::Command& command, int reason) {
  struct stat info {};
  if (!command.directory.empty() && (::stat(command.directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))) {
    return Error::not_found("cannot run '{}' in '{}': there is no such directory", command.argv.front(),
                            command.directory);
  }
  const auto code = reason == ENOENT ? base::ErrorCode::not_found : base::ErrorCode::failed;
  return Error::make(code, "cannot run '{}': {}", command.argv.front(), system_message(reason));
}

Result<pid_t> spawn(const io::Command& command, const Descriptor& input, const Descriptor& out, const Descriptor& err) {
  const auto program = find_program(command);
  if (!program) {
    return program.error();
  }
  SpawnActions actions;
  actions.connect(input, STDIN_FILENO);
  actions.connect(out, STDOUT_FILENO);
  actions.connect(err, STDERR_FILENO);
  actions.close_all_else();
  if (!command.directory.empty()) {
    actions.change_directory(command.directory);
  }
  const SpawnAttributes attributes;
  const auto variables = child_environment(command);
  pid_t pid = -1;
  const int reason = posix_spawn(&pid, program->c_str(), actions.get(), attributes.get(),
                                 null_terminated(command.argv).data(), null_terminated(variables).data());
  return reason == 0 ? Result<pid_t>(pid) : Result<pid_t>(spawn_error(command, reason));
}

Result<Child> start(const io::Command& command) {
  auto input = make_pipe();
  auto out = make_pipe();
  auto err = make_pipe();
  for (const auto* pipe : {&input, &out, &err}) {
    if (!*pipe) {
      return pipe->error();
    }
  }
  const auto pid = spawn(command, input->read_end, out->write_end, err->write_end);
  if (!pid) {
    return pid.error();
  }
  Child child{.pid = *pid,
              .end = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0))),
              .input = std::move(input->write_end),
              .out = std::move(out->read_end),
              .err = std::move(err->read_end)};
  for (const auto* pipe : {&child.input, &child.out, &child.err}) {
    set_non_blocking(*pipe);
  }
  return child;
}

// ---- Following it -----------------------------------------------------------------------------------------------

// A descriptor that becomes readable when stopping is requested.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop)
      : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), on_stop_(stop, Wake{event_.get()}) {}
  [[nodiscard]] int descriptor() const { return event_.get(); }

 private:
  struct Wake {
    int event;
    void operator()() const { [[maybe_unused]] const int written = eventfd_write(event, 1); }
  };
  Descriptor event_;
  std::stop_callback<Wake> on_stop_;
};

// Writing to a pipe nobody reads raises SIGPIPE, which would end us: it is blocked and taken out of the queue here,
// whatever the process as a whole has decided about it.
ssize_t write_without_signal(int descriptor, std::string_view bytes) {
  sigset_t broken_pipe;
  sigset_t before;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  const auto count = ::write(descriptor, bytes.data(), bytes.size());
  const int reason = errno;
  if (count < 0 && reason == EPIPE && sigismember(&before, SIGPIPE) == 0) {
    const timespec at_once{};
    sigtimedwait(&broken_pipe, nullptr, &at_once);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = reason;
  return count;
}

enum class Ending { by_itself, stopped, timed_out };

// One run: feeds and reads the child until it has ended, or ends it.
class Conversation {
 public:
  Conversation(Child child, const io::Command& command, const io::OutputSink& sink, std::stop_token stop,
               ProcessLimits limits)
      : child_(std::move(child)),
        command_(command),
        sink_(sink),
        stop_(std::move(stop)),
        stop_signal_(stop_),
        limits_(limits),
        input_left_(command.input) {
    if (command.timeout) {
      deadline_ = SteadyClock::now() + *command.timeout;
    }
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  // Also when a sink threw: nothing of the child stays behind.
  ~Conversation() {
    if (child_.pid > 0) {
      kill(-child_.pid, SIGKILL);
      reap();
    }
  }

  Result<io::ExitStatus> follow() {
    while (!is_over()) {
      wait_for_something();
      feed();
      drain(child_.out, io::Stream::out);
      drain(child_.err, io::Stream::err);
      end_when_due();
    }
    return outcome();
  }

 private:
  // The child has ended and its output has too, or has been given the time to.
  bool is_over() {
    if (!has_ended()) {
      return ending_ != Ending::by_itself && SteadyClock::now() >= kill_at_;
    }
    const bool is_silent = !child_.out.is_open() && !child_.err.is_open();
    const auto last_moment = ending_ == Ending::by_itself ? ended_at_ + limits_.drain : kill_at_;
    return is_silent || SteadyClock::now() >= last_moment;
  }

  // Looks without reaping (WNOWAIT).
  bool has_ended() {
    if (!has_ended_) {
      siginfo_t info{};
      waitid(P_PID, static_cast<id_t>(child_.pid), &info, WEXITED | WNOHANG | WNOWAIT);
      has_ended_ = info.si_pid == child_.pid;
      ended_at_ = SteadyClock::now();
    }
    return has_ended_;
  }

  void wait_for_something() {
    if (input_left_.empty()) {
      child_.input.reset();
    }
    const bool watches_end = !has_ended_;
    const bool watches_stop = watches_end && ending_ == Ending::by_itself;
    std::array<pollfd, 5> watched{pollfd{child_.out.get(), POLLIN, 0}, pollfd{child_.err.get(), POLLIN, 0},
                                  pollfd{child_.input.get(), POLLOUT, 0},
                                  pollfd{watches_end ? child_.end.get() : -1, POLLIN, 0},
                                  pollfd{watches_stop ? stop_signal_.descriptor() : -1, POLLIN, 0}};
    poll(watched.data(), watched.size(), poll_time());
  }

  [[nodiscard]] int poll_time() const {
    std::optional<SteadyClock::time_point> next = deadline_;
    if (ending_ != Ending::by_itself) {
      next = kill_at_;
    } else if (has_ended_) {
      next = ended_at_ + limits_.drain;
    }
    auto time = next ? std::chrono::ceil<Milliseconds>(*next - SteadyClock::now()) : Milliseconds(-1);
    if (!child_.end.is_open() && !has_ended_) {
      time = next ? std::min(time, poll_without_pidfd) : poll_without_pidfd;
    }
    return next ? static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, 60'000)) : static_cast<int>(time.count());
  }

  void feed() {
    while (child_.input.is_open() && !input_left_.empty()) {
      const auto count = write_without_signal(child_.input.get(), input_left_);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count < 0) {
        if (errno != EAGAIN) {
          input_left_ = {};  // the child does not want to read on, which is its own affair
        }
        return;
      }
      input_left_.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  // One block a turn, so that a child that prints without end cannot keep us from stopping it.
  void drain(Descriptor& pipe, io::Stream stream) {
    if (!pipe.is_open()) {
      return;
    }
    const auto count = ::read(pipe.get(), buffer_.data(), buffer_.size());
    if (count > 0) {
      sink_(stream, std::string_view(buffer_.data(), static_cast<std::size_t>(count)));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      pipe.reset();
    }
  }

  void end_when_due() {
    if (ending_ != Ending::by_itself || has_ended()) {
      return;
    }
    if (stop_.stop_requested()) {
      ask_to_end(Ending::stopped);
    } else if (deadline_ && SteadyClock::now() >= *deadline_) {
      ask_to_end(Ending::timed_out);
    }
  }

  void ask_to_end(Ending why) {
    ending_ = why;
    kill_at_ = SteadyClock::now() + limits_.grace;
    kill(-child_.pid, SIGTERM);
  }

  Result<io::ExitStatus> outcome() {
    if (ending_ != Ending::by_itself) {
      kill(-child_.pid, SIGKILL);
    }
    const auto status = reap();
    switch (ending_) {
      case Ending::stopped:
        return Error::interrupted();
      case Ending::timed_out:
        return Error::failed("'{}' did not end within {} ms and was stopped", command_.argv.front(),
                             command_.timeout->count());
      case Ending::by_itself:
        break;
    }
    return status;
  }

  io::ExitStatus reap() {
    int status = 0;
    while (waitpid(child_.pid, &status, 0) < 0 && errno == EINTR) {
    }
    child_.pid = -1;
    if (WIFSIGNALED(status)) {
      return {.code = 128 + WTERMSIG(status), .signal = WTERMSIG(status)};
    }
    return {.code = WEXITSTATUS(status), .signal = 0};
  }

  Child child_;
  const io::Command& command_;
  const io::OutputSink& sink_;
  std::stop_token stop_;
  StopSignal stop_signal_;
  ProcessLimits limits_;
  std::string_view input_left_;
  std::optional<SteadyClock::time_point> deadline_;
  Ending ending_ = Ending::by_itself;
  SteadyClock::time_point kill_at_{};
  bool has_ended_ = false;
  SteadyClock::time_point ended_at_{};
  std::array<char, read_block> buffer_{};
};

}  // namespace

Result<io::ExitStatus> PosixProcessRunner::run(const io::Command& command, const io::OutputSink& sink,
                                               std::stop_token stop) {
  if (command.argv.empty()) {
    return Error::failed("there is no program to run");
  }
  if (stop.stop_requested()) {
    return Error::interrupted();
  }
  auto child = start(command);
  if (!child) {
    return child.error();
  }
  return Conversation(std::move(*child), command, sink, std::move(stop), limits_).follow();
}

}  // namespace deployctl::platform
