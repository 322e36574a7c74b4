#include "cli/report/error_text.hpp"

#include "core/base/text.hpp"

namespace deployctl::cli::report {
namespace {

// Lines of a message from outside (an engine's, a server's) one below the other, safe for a terminal. The bar keeps a
// CI system from taking one of them for a command to itself.
std::string safe_lines(std::string_view text) {
  std::string safe;
  for (const auto line : base::split(base::trim(text), '\n')) {
    safe += safe.empty() ? "" : "\n  | ";
    safe += base::printable(line.substr(0, line.find_last_not_of(" \t\r") + 1));
  }
  return safe;
}

// Paints the first "error:" or "warning:", which stands in the first line.
std::string paint_kind(std::string text, const Palette& palette) {
  for (const auto& [word, color] : {std::pair("error:", Color::red), std::pair("warning:", Color::yellow)}) {
    const std::string_view kind = word;
    const auto at = text.find(kind);
    if (at < text.find('\n') && (at == 0 || text[at - 1] == ' ')) {
      return text.replace(at, kind.size(), palette.paint(color, kind));
    }
  }
  return text;
}

}  // namespace

std::string render_error(const base::Error& error, const Palette& palette) {
  const auto hint = error.hint.empty() ? "" : "hint: " + safe_lines(error.hint);
  const base::Diagnostic shown{.severity = base::Severity::error,
                               .span = error.span.value_or(base::SourceSpan{}),
                               .message = safe_lines(base::to_string(error)),
                               .hint = hint};
  return paint_kind(base::render(shown), palette);
}

std::string render_diagnostic(const base::Diagnostic& diagnostic, const Palette& palette) {
  return paint_kind(base::render(diagnostic), palette);
}

}  // namespace deployctl::cli::report
