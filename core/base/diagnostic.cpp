#include "core/base/diagnostic.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::base {
namespace {

constexpr std::size_t widest_quote = 160;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

auto place_of(const Diagnostic& item) {
  const auto path = item.span.is_known() ? std::string_view(item.span.file->path()) : std::string_view();
  return std::pair(path, item.span.begin);
}

// The part of a line that is shown: what stands before the span, the span, and what stands after it.
struct Quote {
  std::string before;
  std::string marked;
  std::string after;
};

// A long line is cut around the span. Each part is made printable by itself, so that the caret stays below its text
// whatever had to be replaced before it.
Quote quote_around(std::string_view line, std::size_t column, std::size_t length) {
  auto caret = std::min(column == 0 ? 0 : column - 1, line.size());
  if (line.starts_with(byte_order_mark)) {
    line.remove_prefix(byte_order_mark.size());
    caret -= std::min(caret, byte_order_mark.size());
  }
  if (line.size() > widest_quote) {
    const auto begin = caret > widest_quote / 2 ? utf8_boundary(line, caret - widest_quote / 2) : 0;
    line = line.substr(begin, utf8_boundary(line.substr(begin), widest_quote));
    caret = std::min(caret - begin, line.size());
  }
  const auto marked = line.substr(caret, length);
  return {printable(line.substr(0, caret)), printable(marked), printable(line.substr(caret + marked.size()))};
}

std::string caret_line(const Quote& quote) {
  return std::string(display_width(quote.before), ' ') +
         std::string(std::max<std::size_t>(1, display_width(quote.marked)), '^');
}

}  // namespace

void Diagnostics::error(SourceSpan span, std::string message, std::string hint) {
  items_.push_back({Severity::error, std::move(span), std::move(message), std::move(hint)});
}

void Diagnostics::warning(SourceSpan span, std::string message, std::string hint) {
  items_.push_back({Severity::warning, std::move(span), std::move(message), std::move(hint)});
}

void Diagnostics::append(Diagnostics other) {
  std::ranges::move(other.items_, std::back_inserter(items_));
}

bool Diagnostics::has_errors() const {
  return std::ranges::any_of(items_, [](const Diagnostic& item) { return item.severity == Severity::error; });
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  const auto is_before = [](const Diagnostic& left, const Diagnostic& right) {
    return place_of(left) < place_of(right);
  };
  auto items = items_;
  std::ranges::stable_sort(items, is_before);
  std::vector<Diagnostic> kept;
  for (auto& item : items) {
    const auto same_place = std::ranges::lower_bound(kept, item, is_before);
    const bool is_said =
        std::any_of(same_place, kept.end(), [&](const Diagnostic& earlier) { return earlier.message == item.message; });
    if (!is_said) {
      kept.push_back(std::move(item));
    }
  }
  return kept;
}

std::string render(const Diagnostic& diagnostic) {
  const auto where = to_string(diagnostic.span);
  const auto kind = diagnostic.severity == Severity::error ? "error" : "warning";
  auto text = where.empty() ? fmt::format("{}: {}\n", kind, diagnostic.message)
                            : fmt::format("{}: {}: {}\n", where, kind, diagnostic.message);
  if (diagnostic.span.is_known() && diagnostic.span.begin.line > 0) {
    const auto number = std::to_string(diagnostic.span.begin.line);
    const auto line = diagnostic.span.file->line(diagnostic.span.begin.line);
    const auto quote = quote_around(line, diagnostic.span.begin.column, diagnostic.span.length);
    text += fmt::format("  {} | {}{}{}\n", number, quote.before, quote.marked, quote.after);
    text += fmt::format("  {} | {}\n", std::string(number.size(), ' '), caret_line(quote));
  }
  if (!diagnostic.hint.empty()) {
    text += fmt::format("  {}\n", diagnostic.hint);
  }
  return text;
}

}  // namespace deployctl::base
