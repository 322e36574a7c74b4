#include "cli/report/tty.hpp"

#include <chrono>
#include <sys/ioctl.h>
#include <utility>

namespace deployctl::cli::report {
namespace {

constexpr std::chrono::milliseconds frame{100};

}  // namespace

TerminalSize terminal_size(int descriptor) {
  winsize window{};
  if (ioctl(descriptor, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) {
    return {};
  }
  return {window.ws_col, window.ws_row};
}

Tty::Tty(Options options, const io::Clock& clock)
    : options_(std::move(options)), clock_(clock), board_(options_.palette, options_.glyphs) {}

Tty::~Tty() {
  drawer_.request_stop();
  if (drawer_.joinable()) {
    drawer_.join();
  }
  const auto finished = board_.take_finished_lines();
  if (!finished.empty() || !screen_.is_empty()) {
    options_.write(screen_.draw(finished, {}, options_.size().width));
  }
}

void Tty::emit(const events::Event& event) {
  const std::lock_guard lock(mutex_);
  board_.apply(event, clock_.steady_now());
  if (!board_.is_live()) {
    draw();
    return;
  }
  if (!drawer_.joinable()) {
    drawer_ = std::jthread([this](const std::stop_token& stop) { keep_drawing(stop); });
  }
  changed_.notify_one();
}

void Tty::aside(const std::function<void()>& writing) {
  const std::lock_guard lock(mutex_);
  const auto width = options_.size().width;
  const auto finished = board_.take_finished_lines();
  const auto text = finished.empty() ? screen_.erase(width) : screen_.draw(finished, {}, width);
  if (!text.empty()) {
    options_.write(text);
  }
  writing();
}

// Sleeps while nothing runs; draws once a frame otherwise, also without news, for the spinner and the times.
void Tty::keep_drawing(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return board_.is_live(); }) && !stop.stop_requested()) {
    draw();
    // Not a plain sleep: the end of the run must not wait for the end of a frame.
    changed_.wait_for(lock, stop, frame, [] { return false; });
  }
}

void Tty::draw() {
  const auto [width, height] = options_.size();
  // The last column and the last line stay free: writing there would move the picture.
  const auto rows = board_.rows(clock_.steady_now(), width > 1 ? width - 1 : 1, height > 2 ? height - 2 : 1);
  const auto finished = board_.take_finished_lines();
  if (!finished.empty() || !rows.empty() || !screen_.is_empty()) {
    options_.write(screen_.draw(finished, rows, width));
  }
}

}  // namespace deployctl::cli::report
