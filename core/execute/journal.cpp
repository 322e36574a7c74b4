// A record of its own for every step would double the requests of a small rollout and say nothing that matters: what is
// applied twice is applied once. So the first line is written when a step has run for a second, and a rollout that is
// faster writes none.
#include "core/execute/journal.hpp"

#include <fmt/core.h>

#include <chrono>

namespace deployctl::execute {
namespace {

constexpr std::chrono::seconds pause{1};
constexpr std::size_t shown_steps = 5;
constexpr std::string_view before_running_steps = "; running: ";

}  // namespace

Journal::Journal(Ledger& ledger, long long number, std::size_t steps)
    : ledger_(ledger), number_(number), steps_(steps) {
  writer_ = std::jthread([this](const std::stop_token& stop) { keep_writing(stop); });
}

Journal::~Journal() {
  writer_.request_stop();
  writer_.join();
}

void Journal::begun(const std::string& step) {
  const std::lock_guard lock(mutex_);
  running_.insert(step);
  is_dirty_ = true;
  changed_.notify_all();
}

void Journal::ended(const std::string& step, bool is_done) {
  const std::lock_guard lock(mutex_);
  running_.erase(step);
  done_ += is_done ? 1 : 0;
  is_dirty_ = true;
  changed_.notify_all();
}

std::string Journal::text() {
  const std::lock_guard lock(mutex_);
  return text_unlocked();
}

std::string Journal::text_unlocked() const {
  auto text = fmt::format("{} of {} steps done", done_, steps_);
  std::size_t shown = 0;
  for (const auto& step : running_) {
    if (++shown > shown_steps) {
      return text + fmt::format(" and {} more", running_.size() - shown_steps);
    }
    text += (shown == 1 ? std::string(before_running_steps) : ", ") + step;
  }
  return text;
}

// What cannot be written is left: the lock says whether the run may go on.
void Journal::keep_writing(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    (void)changed_.wait_for(lock, stop, pause, [] { return false; });
    // When nothing runs, the end of the release is what is written next.
    (void)changed_.wait(lock, stop, [this] { return is_dirty_ && !running_.empty(); });
    if (stop.stop_requested()) {
      return;
    }
    const auto line = text_unlocked();
    is_dirty_ = false;
    lock.unlock();
    // To its end: whether a write that was broken off has happened would have to be found out.
    (void)ledger_.note_journal(number_, line, {});
    lock.lock();
  }
}

bool tells_of_running_steps(std::string_view text) {
  return text.find(before_running_steps) != std::string_view::npos;
}

}  // namespace deployctl::execute
