#include "cli/report/board.hpp"

#include "cli/report/error_text.hpp"
#include "cli/report/words.hpp"
#include "core/base/duration.hpp"
#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace deployctl::cli::report {
namespace {

using namespace events;

constexpr std::size_t kept_output_lines = 20;
constexpr std::size_t bar_width = 16;
constexpr std::size_t elapsed_width = 6;
constexpr std::chrono::milliseconds spinner_step{100};
constexpr std::array unicode_spinner{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
constexpr std::array ascii_spinner{"|", "/", "-", "\\"};

std::string padded(std::string text, std::size_t width) {
  const auto own = base::display_width(text);
  return own < width ? text + std::string(width - own, ' ') : text;
}

std::string right_aligned(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

}  // namespace

std::string fit(std::string_view text, std::size_t width, Glyphs glyphs) {
  if (base::display_width(text) <= width) {
    return std::string(text);
  }
  const std::string_view ellipsis = glyphs == Glyphs::unicode ? "…" : "...";
  const auto ellipsis_width = base::display_width(ellipsis);
  if (width <= ellipsis_width) {
    return std::string(width, '.');
  }
  std::string kept;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto character = text.substr(0, base::first_code_point(text).length);
    used += base::display_width(character);
    if (used + ellipsis_width > width) {
      break;
    }
    kept += character;
    text.remove_prefix(character.size());
  }
  return kept + std::string(ellipsis);
}

void Board::apply(const Event& event, io::SteadyTime now) {
  std::visit(base::Overloaded{
                 [&](const RunStarted& run) { print(palette_.paint(Color::bold, run_text(run))); },
                 [&](const StepStarted& step) { start(step, now); },
                 [&](const StepFinished& step) { finish(step); },
                 [&](const Output& output) { keep_output(output); },
                 [&](const TransferProgress& transfer) { keep_transfer(transfer); },
                 [&](const RolloutProgress& rollout) {
                   const auto phase = rollout.phase.empty() ? "" : ": " + base::printable(rollout.phase);
                   show_activity(rollout.step, replica_text(rollout) + phase);
                 },
                 [&](const Finding& finding) { show_finding(finding); },
                 [&](const ObjectApplied& applied) {
                   show_activity(applied.step,
                                 base::printable(applied.object) + " " + std::string(change_word(applied.change)));
                 },
                 [&](const Note& note) {
                   const bool is_warning = note.level == Note::Level::warning;
                   print((is_warning ? palette_.paint(Color::yellow, "warning:") : "note:") + " " +
                         base::printable(note.text));
                 },
                 [&](const Failure& failure) { print_lines(render_error(failure.error, palette_)); },
                 [&](const RunFinished& run) {
                   running_.clear();
                   print(palette_.paint(run.exit_code == 0 ? Color::green : Color::red, end_text(run)));
                 },
             },
             event);
}

std::vector<std::string> Board::take_finished_lines() {
  return std::exchange(finished_, {});
}

std::vector<std::string> Board::rows(io::SteadyTime now, std::size_t width, std::size_t height) const {
  std::size_t title_width = 0;
  for (const auto& step : running_) {
    title_width = std::max(title_width, base::display_width(step.title));
  }
  title_width = std::min(title_width, width * 2 / 5);
  const bool is_cut = running_.size() > height;
  const auto shown = is_cut && height > 0 ? height - 1 : std::min(running_.size(), height);
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < shown; ++i) {
    rows.push_back(row(running_[i], now, width, title_width));
  }
  if (is_cut && height > 0) {
    rows.push_back(fit(fmt::format("  and {} more", running_.size() - shown), width, glyphs_));
  }
  return rows;
}

Board::Step* Board::find(const std::string& name) {
  const auto found = std::ranges::find(running_, name, &Step::name);
  return found == running_.end() ? nullptr : &*found;
}

void Board::start(const StepStarted& step, io::SteadyTime now) {
  running_.push_back(
      {.name = step.step, .title = base::printable(step.title.empty() ? step.step : step.title), .began = now});
}

void Board::finish(const StepFinished& step) {
  const auto* running = find(step.step);
  auto text = mark(step.outcome) + " " + (running != nullptr ? running->title : base::printable(step.step));
  text += palette_.paint(Color::dim, "  " + base::human_duration(step.elapsed));
  const bool has_result = !step.result.empty() && step.result != outcome_word(step.outcome);
  if (step.outcome != StepFinished::Outcome::done) {
    text += "  " + std::string(outcome_word(step.outcome));
  }
  print(has_result ? text + "  " + base::printable(step.result) : text);
  if (running == nullptr) {
    return;
  }
  if (step.outcome == StepFinished::Outcome::failed) {
    for (const auto& line : running->output) {
      print("  | " + line);
    }
  }
  running_.erase(running_.begin() + (running - running_.data()));
}

void Board::show_activity(const std::string& step, std::string text) {
  if (auto* running = find(step)) {
    running->activity = std::move(text);
  }
}

void Board::keep_output(const Output& output) {
  auto* running = find(output.step);
  const auto line = base::printable(output.line);
  if (running == nullptr) {
    print("  | " + line);
    return;
  }
  running->output.push_back(line);
  if (running->output.size() > kept_output_lines) {
    running->output.pop_front();
  }
  running->activity = base::trim(line);
}

void Board::keep_transfer(const TransferProgress& transfer) {
  if (auto* running = find(transfer.step)) {
    running->transfers[transfer.what] = {transfer.done, transfer.total};
    running->activity = base::printable(transfer.what);
  }
}

void Board::show_finding(const Finding& finding) {
  const auto lines = finding_lines(finding, palette_);
  if (finding.weight == Finding::Weight::waiting && find(finding.step) != nullptr) {
    show_activity(finding.step, lines.front());
    return;
  }
  const auto subject = finding.service.empty() ? "" : base::printable(finding.service) + ": ";
  for (const auto& line : lines) {
    print(&line == lines.data() ? subject + line : line);
  }
}

void Board::print_lines(std::string_view text) {
  for (const auto line : base::split(base::trim(text), '\n')) {
    print(std::string(line));
  }
}

std::string Board::row(const Step& step, io::SteadyTime now, std::size_t width, std::size_t title_width) const {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - step.began);
  const auto head = padded(fit(step.title, title_width, glyphs_), title_width);
  const auto time = right_aligned(base::human_duration(elapsed), elapsed_width);
  const auto used = 2 + title_width + 1 + elapsed_width + 2;
  if (width < used) {
    return fit(spinner(now) + " " + step.title, width, glyphs_);
  }
  return spinner(now) + " " + head + " " + palette_.paint(Color::dim, time) + "  " + detail(step, width - used);
}

std::string Board::detail(const Step& step, std::size_t width) const {
  if (step.transfers.empty()) {
    return fit(step.activity, width, glyphs_);
  }
  Transfer sum;
  for (const auto& [what, transfer] : step.transfers) {
    sum.done += transfer.done;
    sum.total += std::max(transfer.total, transfer.done);
  }
  auto text = transfer_text(sum.done, sum.total);
  if (bar_width + 2 + base::display_width(text) <= width) {
    text = bar(sum) + "  " + text;
  }
  return fit(step.activity.empty() ? text : text + "  " + step.activity, width, glyphs_);
}

std::string Board::mark(StepFinished::Outcome outcome) const {
  const bool is_unicode = glyphs_ == Glyphs::unicode;
  switch (outcome) {
    case StepFinished::Outcome::done:
      return palette_.paint(Color::green, is_unicode ? "✓" : "+");
    case StepFinished::Outcome::unchanged:
      return palette_.paint(Color::green, "=");
    case StepFinished::Outcome::failed:
      return palette_.paint(Color::red, is_unicode ? "✗" : "x");
    case StepFinished::Outcome::skipped:
      return palette_.paint(Color::dim, "-");
    case StepFinished::Outcome::open:
      return palette_.paint(Color::yellow, is_unicode ? "…" : "~");
  }
  return " ";
}

std::string Board::spinner(io::SteadyTime now) const {
  const auto frame = static_cast<std::size_t>(now.time_since_epoch() / spinner_step);
  return glyphs_ == Glyphs::unicode ? unicode_spinner[frame % unicode_spinner.size()]
                                    : ascii_spinner[frame % ascii_spinner.size()];
}

std::string Board::bar(const Transfer& sum) const {
  const auto share = sum.total == 0 ? 0.0 : static_cast<double>(sum.done) / static_cast<double>(sum.total);
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar_width));
  std::string text;
  for (std::size_t i = 0; i < bar_width; ++i) {
    const bool is_filled = i < filled;
    text += glyphs_ == Glyphs::unicode ? (is_filled ? "█" : "░") : (is_filled ? "#" : ".");
  }
  return text;
}

}  // namespace deployctl::cli::report
