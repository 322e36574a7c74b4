// How far the steps of a release are, written into its record now and then, so that whoever finds it interrupted can
// say where. Thread-safe.
#pragma once

#include "core/execute/ledger.hpp"

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

namespace deployctl::execute {

class Journal {
 public:
  // Writes in the background, at most once a second, and only what has changed.
  Journal(Ledger& ledger, long long number, std::size_t steps);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void begun(const std::string& step);
  void ended(const std::string& step, bool is_done);
  // "3 of 7 steps done; running: apply:deployment/api".
  [[nodiscard]] std::string text();

 private:
  void keep_writing(const std::stop_token& stop);
  std::string text_unlocked() const;

  Ledger& ledger_;
  const long long number_;
  const std::size_t steps_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> running_;
  std::size_t done_ = 0;
  bool is_dirty_ = false;
  std::jthread writer_;
};

// Whether steps were running when such a text was written.
bool tells_of_running_steps(std::string_view text);

}  // namespace deployctl::execute
