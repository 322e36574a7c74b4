// What a CI system's log viewer understands, around the lines of another reporter: folded groups for steps, annotations
// with file and line for what is wrong, and a summary page.
#pragma once

#include "cli/report/writer.hpp"
#include "core/base/diagnostic.hpp"
#include "core/events/event.hpp"
#include "core/io/clock.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::cli::report {

enum class CiSystem { github, gitlab };

// For lines that hold what others have printed. GitHub's runner heeds "##[stop-commands]…" and the like wherever they
// stand in a line ("::" only at its start, where a step's name is): what a pod prints must not end masking.
Writer without_commands(CiSystem system, Writer write);

class CiAnnotations : public events::Sink {
 public:
  struct Options {
    CiSystem system = CiSystem::github;
    Writer write;    // the stream the inner reporter writes to
    Writer summary;  // Markdown, once, at the end of the run; may be empty
  };
  // The clock must outlive it.
  CiAnnotations(Options options, std::unique_ptr<events::Sink> inner, const io::Clock& clock);
  void emit(const events::Event& event) override;
  void annotate(const base::Diagnostic& diagnostic);

 private:
  void before(const events::Event& event);
  void after(const events::Event& event);
  void open_group(const events::StepStarted& step);
  void close_group();
  void annotate(const base::Error& error);
  void annotate(const events::Finding& finding);
  void command(std::string_view name, const base::SourceSpan& span, std::string_view title, std::string_view message);
  [[nodiscard]] std::string summary_text(const events::RunFinished& run) const;

  Options options_;
  std::unique_ptr<events::Sink> inner_;
  const io::Clock& clock_;
  std::mutex mutex_;
  int running_ = 0;                   // steps
  std::optional<std::string> group_;  // the step whose group is open
  std::string heading_;
  std::vector<events::StepFinished> steps_;
  std::vector<events::Finding> findings_;
  std::vector<base::Error> errors_;
};

// The escaping of GitHub's workflow commands, for a message and for a property such as file=.
std::string escape_command_data(std::string_view text);
std::string escape_command_property(std::string_view text);

}  // namespace deployctl::cli::report
