// A child process of a test: started with an environment of its own, its output read, its end waited for. It does not
// outlive the test.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace integration {

using Environment = std::map<std::string, std::string>;

class Process {
 public:
  Process(const std::string& program, const std::vector<std::string>& arguments, const Environment& environment);
  ~Process();  // kills what is still running
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const;
  // The exit status, 128 + n for signal n; nothing when it still runs after that time.
  std::optional<int> wait_for_exit(std::chrono::milliseconds limit);

  // What it has written so far to stdout and stderr.
  std::string output() const;
  std::string errors() const;

 private:
  struct Stream {
    int descriptor = -1;
    std::string text;
    mutable std::mutex mutex;
    std::thread reader;
    void read_all();
    std::string seen() const;
  };

  pid_t pid_ = -1;
  std::optional<int> status_;
  Stream output_;
  Stream errors_;
};

// Asks again every few milliseconds; false when it never came true in that time.
template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace integration
