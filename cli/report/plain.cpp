#include "cli/report/plain.hpp"

#include "cli/report/error_text.hpp"
#include "cli/report/words.hpp"
#include "core/base/duration.hpp"
#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"

#include <fmt/core.h>

namespace deployctl::cli::report {
namespace {

using namespace events;

std::string line(std::string_view step, std::string_view text) {
  return step.empty() ? fmt::format("{}\n", text) : fmt::format("{}: {}\n", base::printable(step), text);
}

std::string finished_line(const StepFinished& step, const Palette& palette) {
  const auto color = step.outcome == StepFinished::Outcome::failed ? Color::red : Color::green;
  auto text = palette.paint(color, outcome_word(step.outcome));
  if (!step.result.empty()) {
    text += ": " + base::printable(step.result);
  }
  return line(step.step, fmt::format("{} ({})", text, base::human_duration(step.elapsed)));
}

constexpr std::size_t kept_output_lines = 20;  // as the board shows of a step that has failed

bool is_said_when_quiet(const Event& event) {
  const auto* finding = std::get_if<Finding>(&event);
  return std::holds_alternative<Failure>(event) || (finding != nullptr && finding->weight != Finding::Weight::waiting);
}

}  // namespace

Plain::Plain(Writer write, Palette palette, Verbosity verbosity)
    : write_(std::move(write)), palette_(palette), verbosity_(verbosity) {}

void Plain::emit(const Event& event) {
  const std::lock_guard lock(mutex_);
  if (verbosity_ == Verbosity::quiet && !is_said_when_quiet(event)) {
    keep_output(event);
    return;
  }
  if (const auto text = text_of(event); !text.empty()) {
    write_(text);
  }
}

// What a step has printed is said once it has failed.
void Plain::keep_output(const Event& event) {
  if (const auto* output = std::get_if<Output>(&event)) {
    auto& kept = output_[output->step];
    kept.push_back(text_of(event));
    if (kept.size() > kept_output_lines) {
      kept.pop_front();
    }
  } else if (const auto* finished = std::get_if<StepFinished>(&event)) {
    if (finished->outcome == StepFinished::Outcome::failed) {
      for (const auto& text : output_[finished->step]) {
        write_(text);
      }
    }
    output_.erase(finished->step);
  }
}

std::string Plain::text_of(const Event& event) {
  return std::visit(
      base::Overloaded{
          [](const RunStarted& run) { return line("", run_text(run)); },
          [](const StepStarted& step) { return line(step.step, base::printable(step.title)); },
          [&](const StepFinished& step) { return finished_line(step, palette_); },
          [](const Output& output) {
            const auto text = base::printable(output.line);
            return line(output.step, output.source.empty() ? text : base::printable(output.source) + ": " + text);
          },
          [&](const TransferProgress& transfer) {
            if (transfer.total == 0 || transfer.done < transfer.total) {
              return std::string();
            }
            return text_once(transfer.step,
                             fmt::format("{}: {}", base::printable(transfer.what), base::human_bytes(transfer.total)));
          },
          [&](const RolloutProgress& rollout) {
            const auto phase = base::printable(rollout.phase);
            return text_once(rollout.step,
                             phase.empty() ? replica_text(rollout) : replica_text(rollout) + ": " + phase);
          },
          [&](const Finding& finding) {
            std::string text;
            for (const auto& part : finding_lines(finding, palette_)) {
              text += line(finding.step, part);
            }
            return text;
          },
          [](const ObjectApplied& applied) {
            return line(applied.step, base::printable(applied.object) + " " + std::string(change_word(applied.change)));
          },
          [&](const Note& note) {
            const auto text = base::printable(note.text);
            return note.level == Note::Level::warning ? palette_.paint(Color::yellow, "warning:") + " " + text + "\n"
                                                      : "note: " + text + "\n";
          },
          [&](const Failure& failure) { return render_error(failure.error, palette_); },
          [](const RunFinished& run) { return line("", end_text(run)); },
      },
      event);
}

std::string Plain::text_once(const std::string& step, std::string text) {
  auto& last = last_progress_[step];
  if (last == text) {
    return {};
  }
  last = std::move(text);
  return line(step, last);
}

}  // namespace deployctl::cli::report
