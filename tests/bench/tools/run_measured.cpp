// Runs a program and tells what it took: `bench_run_measured RESULT PROGRAM [ARGUMENT…]` writes one line of JSON to the
// file RESULT and ends with the program's exit status.
//
// It is small and static on purpose. The kernel counts the memory of whoever starts a program as that program's peak
// (it is the same process until exec), so a Python that starts it would hide everything below its own 10 MiB.
#include <chrono>
#include <cstdio>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char** environ;

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// As Python's time.monotonic() counts.
double seconds(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: %s RESULT PROGRAM [ARGUMENT...]\n", arguments[0]);
    return 2;
  }
  const auto begun = std::chrono::steady_clock::now();
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[2], nullptr, nullptr, arguments + 2, environ) != 0) {
    std::fprintf(stderr, "cannot start %s\n", arguments[2]);
    return 127;
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  const auto ended = std::chrono::steady_clock::now();

  std::FILE* result = std::fopen(arguments[1], "w");
  if (result == nullptr) {
    std::perror(arguments[1]);
    return 127;
  }
  std::fprintf(result,
               R"({"begun": %.6f, "ended": %.6f, "user": %.6f, "system": %.6f, "peak_kib": %ld, "exit": %d})"
               "\n",
               seconds(begun), seconds(ended), seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
               exit_code(status));
  std::fclose(result);
  return exit_code(status);
}
