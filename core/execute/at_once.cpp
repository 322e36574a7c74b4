#include "core/execute/at_once.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace deployctl::execute {

void run_at_once(const Jobs& jobs, unsigned threads) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (auto at = next++; at < jobs.size(); at = next++) {
      jobs[at]();
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, jobs.size()); ++i) {
    others.emplace_back(work);
  }
  work();
}

base::Status try_at_once(const Attempts& attempts) {
  std::vector<base::Status> outcomes(attempts.size());
  Jobs jobs;
  for (std::size_t at = 0; at < attempts.size(); ++at) {
    jobs.emplace_back([&, at] { outcomes[at] = attempts[at](); });
  }
  run_at_once(jobs);
  const auto failed = std::ranges::find_if(outcomes, [](const base::Status& outcome) { return !outcome; });
  return failed == outcomes.end() ? base::Status() : *failed;
}

}  // namespace deployctl::execute
