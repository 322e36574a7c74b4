// GitHub Actions, "Workflow commands": ::group::, ::endgroup::, ::error file=…,line=…,col=…,title=…::message, and the
// file named by GITHUB_STEP_SUMMARY. GitLab CI, "Custom collapsible sections": section_start and section_end markers.
//
// Neither system can show groups that overlap. A group is therefore open only while one step runs alone; as soon as a
// second one starts, lines are told apart by their step's name only.
#include "cli/report/ci_annotations.hpp"

#include "cli/report/words.hpp"
#include "core/base/duration.hpp"
#include "core/base/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::cli::report {
namespace {

using namespace events;

long long unix_seconds(io::WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// GitLab takes letters, digits, '_', '.' and '-' in the name of a section.
std::string section_name(std::string_view step) {
  std::string name(step);
  std::ranges::replace_if(
      name,
      [](char byte) {
        const bool is_alphanumeric =
            (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        return !is_alphanumeric && byte != '.' && byte != '-';
      },
      '_');
  return name;
}

// A cell of a Markdown table in which nothing is markup.
std::string cell(std::string_view text) {
  std::string safe;
  for (const char byte : base::printable(text)) {
    if (std::string_view("\\`*_{}[]()#+!|~<>&@").find(byte) != std::string_view::npos) {
      safe += '\\';
    }
    safe += byte;
  }
  return safe;
}

// A code block that no line of the text can end.
std::string code_block(const std::vector<std::string>& lines) {
  std::string fence = "```";
  for (const auto& line : lines) {
    while (line.find(fence) != std::string::npos) {
      fence += '`';
    }
  }
  auto block = fence + "text\n";
  for (const auto& line : lines) {
    block += base::printable(line) + "\n";
  }
  return block + fence + "\n";
}

}  // namespace

std::string escape_command_data(std::string_view text) {
  auto escaped = base::replace_all(std::string(text), "%", "%25");
  escaped = base::replace_all(std::move(escaped), "\r", "%0D");
  return base::replace_all(std::move(escaped), "\n", "%0A");
}

std::string escape_command_property(std::string_view text) {
  auto escaped = base::replace_all(escape_command_data(text), ":", "%3A");
  return base::replace_all(std::move(escaped), ",", "%2C");
}

Writer without_commands(CiSystem system, Writer write) {
  if (system != CiSystem::github) {
    return write;
  }
  return
      [write = std::move(write)](std::string_view text) { write(base::replace_all(std::string(text), "##[", "## [")); };
}

CiAnnotations::CiAnnotations(Options options, std::unique_ptr<events::Sink> inner, const io::Clock& clock)
    : options_(std::move(options)), inner_(std::move(inner)), clock_(clock) {}

void CiAnnotations::emit(const Event& event) {
  const std::lock_guard lock(mutex_);
  before(event);
  inner_->emit(event);
  after(event);
}

void CiAnnotations::before(const Event& event) {
  if (const auto* run = std::get_if<RunStarted>(&event)) {
    heading_ = run_text(*run);
  } else if (const auto* step = std::get_if<StepStarted>(&event)) {
    close_group();
    if (++running_ == 1) {
      open_group(*step);
    }
  } else if (std::holds_alternative<Failure>(event)) {
    close_group();
  }
}

void CiAnnotations::after(const Event& event) {
  if (const auto* step = std::get_if<StepFinished>(&event)) {
    steps_.push_back(*step);
    // A step that was skipped has never started.
    running_ -= step->outcome == StepFinished::Outcome::skipped ? 0 : 1;
    if (group_ == step->step) {
      close_group();
    }
  } else if (const auto* finding = std::get_if<Finding>(&event)) {
    annotate(*finding);
  } else if (const auto* note = std::get_if<Note>(&event)) {
    if (note->level == Note::Level::warning) {
      command("warning", {}, "", note->text);
    }
  } else if (const auto* failure = std::get_if<Failure>(&event)) {
    annotate(failure->error);
  } else if (const auto* run = std::get_if<RunFinished>(&event)) {
    close_group();
    if (options_.summary) {
      options_.summary(summary_text(*run));
    }
  }
}

void CiAnnotations::open_group(const StepStarted& step) {
  group_ = step.step;
  const auto title = base::printable(step.title);
  if (options_.system == CiSystem::github) {
    options_.write(fmt::format("::group::{}\n", escape_command_data(title)));
  } else {
    options_.write(fmt::format("\x1b[0Ksection_start:{}:{}\r\x1b[0K{}\n", unix_seconds(clock_.now()),
                               section_name(step.step), title));
  }
}

void CiAnnotations::close_group() {
  if (!group_) {
    return;
  }
  if (options_.system == CiSystem::github) {
    options_.write("::endgroup::\n");
  } else {
    options_.write(
        fmt::format("\x1b[0Ksection_end:{}:{}\r\x1b[0K\n", unix_seconds(clock_.now()), section_name(*group_)));
  }
  group_.reset();
}

void CiAnnotations::annotate(const base::Error& error) {
  errors_.push_back(error);
  const auto message = error.hint.empty() ? base::to_string(error) : base::to_string(error) + "\n" + error.hint;
  command("error", error.span.value_or(base::SourceSpan{}), "", message);
}

void CiAnnotations::annotate(const Finding& finding) {
  if (finding.weight == Finding::Weight::waiting) {
    return;
  }
  findings_.push_back(finding);
  auto message = finding.message;
  const auto& log = finding.log.empty() ? finding.previous_log : finding.log;
  for (const auto& more : {finding.advice, base::join(finding.context, "\n"), base::join(log, "\n")}) {
    message += more.empty() ? "" : "\n" + more;
  }
  command(finding.weight == Finding::Weight::permanent ? "error" : "warning", {},
          finding.object + ": " + finding.reason, message);
}

void CiAnnotations::annotate(const base::Diagnostic& diagnostic) {
  const std::lock_guard lock(mutex_);
  const auto message = diagnostic.hint.empty() ? diagnostic.message : diagnostic.message + "\n" + diagnostic.hint;
  command(diagnostic.severity == base::Severity::error ? "error" : "warning", diagnostic.span, "", message);
}

void CiAnnotations::command(std::string_view name, const base::SourceSpan& span, std::string_view title,
                            std::string_view message) {
  if (options_.system != CiSystem::github) {
    return;
  }
  std::vector<std::string> properties;
  if (span.is_known()) {
    properties.push_back("file=" + escape_command_property(span.file->path()));
    if (span.begin.line > 0) {
      properties.push_back(fmt::format("line={}", span.begin.line));
      properties.push_back(fmt::format("col={}", span.begin.column));
    }
  }
  if (!title.empty()) {
    properties.push_back("title=" + escape_command_property(title));
  }
  options_.write(fmt::format("::{}{}{}::{}\n", name, properties.empty() ? "" : " ", base::join(properties, ","),
                             escape_command_data(message)));
}

std::string CiAnnotations::summary_text(const RunFinished& run) const {
  auto text = fmt::format("### {} {}\n\n", run.exit_code == 0 ? "✅" : "❌", cell(heading_ + ": " + end_text(run)));
  if (!steps_.empty()) {
    text += "| step | outcome | time | result |\n|---|---|---|---|\n";
  }
  for (const auto& step : steps_) {
    text += fmt::format("| {} | {} | {} | {} |\n", cell(step.step), outcome_word(step.outcome),
                        base::human_duration(step.elapsed), cell(step.result));
  }
  for (const auto& finding : findings_) {
    text += "\n" + code_block(finding_lines(finding, Palette()));
  }
  for (const auto& error : errors_) {
    auto lines = std::vector<std::string>{"error: " + base::to_string(error)};
    if (!error.hint.empty()) {
      lines.push_back("hint: " + error.hint);
    }
    text += "\n" + code_block(lines);
  }
  return text;
}

}  // namespace deployctl::cli::report
