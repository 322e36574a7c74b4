#include "cli/report/reporter.hpp"

#include "cli/report/ci_annotations.hpp"
#include "cli/report/error_text.hpp"
#include "cli/report/ndjson.hpp"
#include "cli/report/plain.hpp"
#include "cli/report/tty.hpp"
#include "core/base/text.hpp"

#include <cerrno>
#include <optional>
#include <unistd.h>

namespace deployctl::cli::report {
namespace {

bool has_usable_terminal(const io::Environment& environment) {
  return isatty(STDERR_FILENO) == 1 && environment.get_or("TERM", "dumb") != "dumb";
}

Glyphs glyphs_of(const io::Environment& environment) {
  const auto locale = environment.get_or("LC_ALL", environment.get_or("LC_CTYPE", environment.get_or("LANG", "")));
  const auto lowered = base::to_lower(locale);
  const bool is_utf8 = lowered.find("utf-8") != std::string::npos || lowered.find("utf8") != std::string::npos;
  return is_utf8 ? Glyphs::unicode : Glyphs::ascii;
}

std::optional<CiSystem> ci_system(const io::Environment& environment) {
  if (environment.get_or("GITHUB_ACTIONS", "") == "true") {
    return CiSystem::github;
  }
  if (environment.get_or("GITLAB_CI", "") == "true") {
    return CiSystem::gitlab;
  }
  return std::nullopt;
}

}  // namespace

struct Reporter::Parts {
  Parts(Look look, const io::Environment& environment, const io::Clock& clock)
      : palette(look.use_color), is_json(look.mode == OutputMode::json) {
    if (is_json) {
      sink = std::make_unique<Ndjson>(look.has_results ? err : out, clock);
    } else if (look.mode == OutputMode::tty && !look.is_quiet && has_usable_terminal(environment)) {
      auto board = std::make_unique<Tty>(Tty::Options{.write = err,
                                                      .size = [] { return terminal_size(STDERR_FILENO); },
                                                      .palette = palette,
                                                      .glyphs = glyphs_of(environment)},
                                         clock);
      tty = board.get();
      sink = std::move(board);
    } else {
      make_plain(look.is_quiet ? Verbosity::quiet : Verbosity::normal, environment, clock);
    }
  }

  void make_plain(Verbosity verbosity, const io::Environment& environment, const io::Clock& clock) {
    const auto system = ci_system(environment);
    sink = std::make_unique<Plain>(system ? without_commands(*system, err) : err, palette, verbosity);
    if (!system) {
      return;
    }
    const auto summary = environment.get_or("GITHUB_STEP_SUMMARY", "");
    auto annotations = std::make_unique<CiAnnotations>(
        CiAnnotations::Options{
            .system = *system, .write = err, .summary = summary.empty() ? Writer() : append_to_file(summary)},
        std::move(sink), clock);
    ci = annotations.get();
    sink = std::move(annotations);
  }

  std::shared_ptr<std::atomic<int>> out_error = std::make_shared<std::atomic<int>>(0);
  Writer out = write_to_descriptor(STDOUT_FILENO, out_error);
  Writer err = write_to_descriptor(STDERR_FILENO);
  Palette palette;
  bool is_json = false;
  std::unique_ptr<events::Sink> sink;
  Tty* tty = nullptr;           // the sink, when it is one
  CiAnnotations* ci = nullptr;  // the sink, when it is one
};

Reporter::Reporter(Look look, const io::Environment& environment, const io::Clock& clock)
    : parts_(std::make_unique<Parts>(look, environment, clock)) {}

Reporter::~Reporter() = default;

void Reporter::emit(const events::Event& event) {
  parts_->sink->emit(event);
}

void Reporter::result(std::string_view text) {
  if (parts_->tty != nullptr) {
    parts_->tty->aside([&] { parts_->out(text); });
  } else {
    parts_->out(text);
  }
}

int Reporter::output_error() const {
  return *parts_->out_error == EPIPE ? 0 : parts_->out_error->load();
}

// In JSON each mistake is the event of a failure. Warnings stay text: a command that shows something prints one
// document.
void Reporter::diagnostics(const base::Diagnostics& diagnostics) {
  std::string text;
  const auto sorted = diagnostics.sorted();
  for (const auto& diagnostic : sorted) {
    if (parts_->is_json && diagnostic.severity == base::Severity::error) {
      auto error = base::Error::invalid_input("{}", diagnostic.message).at(diagnostic.span);
      error.hint = diagnostic.hint;
      emit(events::Failure{std::move(error)});
    } else {
      text += render_diagnostic(diagnostic, parts_->palette);
    }
  }
  if (parts_->tty != nullptr) {
    parts_->tty->aside([&] { parts_->err(text); });
  } else {
    parts_->err(text);
  }
  if (parts_->ci != nullptr) {
    for (const auto& diagnostic : sorted) {
      parts_->ci->annotate(diagnostic);
    }
  }
}

}  // namespace deployctl::cli::report
