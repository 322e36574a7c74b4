#include "core/io/process.hpp"

#include "core/base/text.hpp"

#include <utility>

namespace deployctl::io {

base::Result<Output> run_and_capture(ProcessRunner& runner, const Command& command, std::stop_token stop,
                                     std::size_t limit) {
  Output output;
  bool is_too_much = false;
  // A program that prints without end is ended as if the caller had given up on it.
  std::stop_source ours;
  const std::stop_callback pass_on(stop, [&ours] { ours.request_stop(); });
  const auto keep = [&](Stream stream, std::string_view piece) {
    auto& kept = stream == Stream::out ? output.out : output.err;
    if (kept.size() + piece.size() > limit) {
      is_too_much = true;
      ours.request_stop();
      return;
    }
    kept += piece;
  };
  const auto status = runner.run(command, keep, ours.get_token());
  if (is_too_much && !stop.stop_requested()) {
    return base::Error::failed("{} printed more than {}", command.argv.empty() ? "the program" : command.argv.front(),
                               base::human_bytes(limit));
  }
  if (!status) {
    return status.error();
  }
  output.status = *status;
  return output;
}

LineSplitter::LineSplitter(std::function<void(std::string_view)> on_line, std::size_t limit)
    : on_line_(std::move(on_line)), limit_(limit) {}

void LineSplitter::add(std::string_view piece) {
  while (!piece.empty()) {
    const auto end = std::min(piece.find('\n'), piece.size());
    // One byte more than a line may have, so that a carriage return at its end does not count.
    pending_ += piece.substr(0, std::min(end, limit_ + 1 - std::min(limit_ + 1, pending_.size())));
    is_begun_ = true;
    if (end == piece.size()) {
      return;
    }
    give_out();
    piece.remove_prefix(end + 1);
  }
}

void LineSplitter::finish() {
  if (is_begun_) {
    give_out();
  }
}

void LineSplitter::give_out() {
  std::string_view line = pending_;
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  on_line_(line.substr(0, base::utf8_boundary(line, limit_)));
  pending_.clear();
  is_begun_ = false;
}

}  // namespace deployctl::io
