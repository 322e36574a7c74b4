#include "cli/report/words.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"

#include <fmt/core.h>

#include <utility>

namespace deployctl::cli::report {
namespace {

constexpr int interrupted_exit_code = 130;

std::string weight_label(events::Finding::Weight weight, const Palette& palette) {
  switch (weight) {
    case events::Finding::Weight::waiting:
      return "waiting";
    case events::Finding::Weight::probable:
      return palette.paint(Color::yellow, "problem");
    case events::Finding::Weight::permanent:
      return palette.paint(Color::red, "failure");
  }
  return {};
}

// "2 of 3 pods, for 14s; rule container-crashes; status.containerStatuses[api].state"
std::string evidence_text(const events::Finding& finding) {
  auto text = fmt::format("{} of {} pod{}, for {}", finding.affected, finding.total, finding.total == 1 ? "" : "s",
                          base::human_duration(finding.seen_for));
  for (const auto& [label, value] : {std::pair("rule ", &finding.rule), std::pair("", &finding.field)}) {
    if (!value->empty()) {
      text += "; " + std::string(label) + base::printable(*value);
    }
  }
  return text;
}

// People read the end of a log, of what may be only the probable cause less; all that was kept is in the JSON form.
std::size_t shown_log_lines(events::Finding::Weight weight) {
  return weight == events::Finding::Weight::permanent ? 20 : 5;
}

void add_log(const std::string& title, const std::vector<std::string>& log, std::size_t shown,
             std::vector<std::string>& lines) {
  if (log.empty()) {
    return;
  }
  if (!title.empty()) {
    lines.push_back("  " + base::printable(title) + ":");
  }
  const auto skipped = log.size() > shown ? log.size() - shown : 0;
  for (auto i = skipped; i < log.size(); ++i) {
    lines.push_back("  | " + base::printable(log[i]));
  }
}

// What may have several lines, on one.
std::string one_line(const std::string& text) {
  return base::printable(base::replace_all(std::string(base::trim(text)), "\n", " "));
}

}  // namespace

std::string replica_text(const events::RolloutProgress& rollout) {
  auto text = fmt::format("{} of {} updated, {} ready, {} available", rollout.updated, rollout.desired, rollout.ready,
                          rollout.available);
  return rollout.old > 0 ? text + fmt::format(", {} old", rollout.old) : text;
}

std::string transfer_text(std::uint64_t done, std::uint64_t total) {
  return total == 0 ? base::human_bytes(done)
                    : fmt::format("{} of {}", base::human_bytes(done), base::human_bytes(total));
}

std::string run_text(const events::RunStarted& run) {
  auto text = base::printable(run.command);
  if (!run.project.empty()) {
    text += " of " + base::printable(run.project);
  }
  return run.environment.empty() ? text : text + " to " + base::printable(run.environment);
}

std::string end_text(const events::RunFinished& run) {
  const auto elapsed = base::human_duration(run.elapsed);
  if (run.exit_code == 0) {
    return "finished in " + elapsed;
  }
  return (run.exit_code == interrupted_exit_code ? "interrupted after " : "failed after ") + elapsed;
}

std::string_view outcome_word(events::StepFinished::Outcome outcome) {
  switch (outcome) {
    case events::StepFinished::Outcome::done:
      return "done";
    case events::StepFinished::Outcome::unchanged:
      return "unchanged";
    case events::StepFinished::Outcome::failed:
      return "failed";
    case events::StepFinished::Outcome::skipped:
      return "skipped";
    case events::StepFinished::Outcome::open:
      return "left open";
  }
  return {};
}

std::string_view change_word(events::ObjectApplied::Change change) {
  switch (change) {
    case events::ObjectApplied::Change::created:
      return "created";
    case events::ObjectApplied::Change::configured:
      return "configured";
    case events::ObjectApplied::Change::unchanged:
      return "unchanged";
    case events::ObjectApplied::Change::pruned:
      return "pruned";
  }
  return {};
}

std::vector<std::string> finding_lines(const events::Finding& finding, const Palette& palette) {
  auto first = weight_label(finding.weight, palette);
  for (const auto* part : {&finding.object, &finding.reason, &finding.message}) {
    if (!part->empty()) {
      first += ": " + one_line(*part);
    }
  }
  std::vector<std::string> lines{std::move(first)};
  // What no rule judged is not about pods: an image that is too large, say.
  const bool is_about_pods = !finding.rule.empty();
  if (is_about_pods && finding.weight != events::Finding::Weight::waiting) {
    lines.push_back("  " + palette.paint(Color::dim, evidence_text(finding)));
  }
  for (const auto& remark : finding.context) {
    lines.push_back("  node: " + one_line(remark));
  }
  if (!finding.advice.empty()) {
    lines.push_back("  advice: " + one_line(finding.advice));
  }
  const auto who = finding.container.empty() ? "the container" : finding.container;
  const auto shown = shown_log_lines(finding.weight);
  add_log(fmt::format("{} printed, in its run before", who), finding.previous_log, shown, lines);
  add_log(is_about_pods ? fmt::format("{} printed", who) : std::string(), finding.log, shown, lines);
  return lines;
}

}  // namespace deployctl::cli::report
