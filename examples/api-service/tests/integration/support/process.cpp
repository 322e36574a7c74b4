#include "support/process.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace integration {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("cannot make a pipe");
    }
    read = ends[0];
    write = ends[1];
  }
  int read = -1;
  int write = -1;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& each : texts) {
    list.push_back(each.data());
  }
  list.push_back(nullptr);
  return list;
}

}  // namespace

Process::Process(const std::string& program, const std::vector<std::string>& arguments,
                 const Environment& environment) {
  std::vector<std::string> argument_texts{program};
  argument_texts.insert(argument_texts.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment_texts;
  for (const auto& [name, value] : environment) {
    environment_texts.push_back(name + "=" + value);
  }
  const Pipe output;
  const Pipe errors;
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.write, STDERR_FILENO);
  const int failure = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, pointers(argument_texts).data(),
                                    pointers(environment_texts).data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(output.write);
  ::close(errors.write);
  if (failure != 0) {
    throw std::runtime_error("cannot start " + program);
  }
  output_.descriptor = output.read;
  errors_.descriptor = errors.read;
  output_.reader = std::thread([this] { output_.read_all(); });
  errors_.reader = std::thread([this] { errors_.read_all(); });
}

Process::~Process() {
  if (!status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (Stream* stream : {&output_, &errors_}) {
    if (stream->reader.joinable()) {
      stream->reader.join();
    }
    ::close(stream->descriptor);
  }
}

void Process::send(int signal) const {
  ::kill(pid_, signal);
}

std::optional<int> Process::wait_for_exit(std::chrono::milliseconds limit) {
  eventually(
      [this] {
        int status = 0;
        if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
          status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        return status_.has_value();
      },
      limit);
  if (status_) {  // all it has written is read
    for (Stream* stream : {&output_, &errors_}) {
      if (stream->reader.joinable()) {
        stream->reader.join();
      }
    }
  }
  return status_;
}

std::string Process::output() const {
  return output_.seen();
}
std::string Process::errors() const {
  return errors_.seen();
}

void Process::Stream::read_all() {
  std::array<char, 4096> bytes{};
  for (;;) {
    const auto count = ::read(descriptor, bytes.data(), bytes.size());
    if (count <= 0) {
      return;
    }
    const std::lock_guard lock(mutex);
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

std::string Process::Stream::seen() const {
  const std::lock_guard lock(mutex);
  return text;
}

}  // namespace integration
