#include "core/base/diagnostic.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::base {
namespace {

constexpr std::size_t widest_quote = 160;

auto place_of(const Diagnostic& item) {
  const auto path = item.span.is_known() ? std::string_view(item.span.file->path()) : std::string_view();
  return std::pair(path, item.span.begin);
}

// The part of a long line that holds the span, and how far the caret moves to the left for it.
struct Quote {
  std::string text;
  std::size_t caret_column;
};

Quote quote_around(std::string_view line, std::size_t column) {
  const auto caret = column == 0 ? 0 : column - 1;
  if (line.size() <= widest_quote) {
    return {printable(line), caret};
  }
  const auto begin = caret > widest_quote / 2 ? utf8_boundary(line, caret - widest_quote / 2) : 0;
  const auto end = utf8_boundary(line, std::min(line.size(), begin + widest_quote));
  return {printable(line.substr(begin, end - begin)), caret - begin};
}

std::string caret_line(const Quote& quote, std::size_t length) {
  const auto before = std::string_view(quote.text).substr(0, std::min(quote.caret_column, quote.text.size()));
  const auto marked = std::string_view(quote.text).substr(before.size(), length);
  return std::string(display_width(before), ' ') + std::string(std::max<std::size_t>(1, display_width(marked)), '^');
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
  auto items = items_;
  std::ranges::stable_sort(items, [](const Diagnostic& left, const Diagnostic& right) {
    return place_of(left) < place_of(right);
  });
  const auto repeated = std::ranges::unique(items, [](const Diagnostic& left, const Diagnostic& right) {
    return place_of(left) == place_of(right) && left.message == right.message;
  });
  items.erase(repeated.begin(), repeated.end());
  return items;
}

std::string render(const Diagnostic& diagnostic) {
  const auto where = to_string(diagnostic.span);
  const auto kind = diagnostic.severity == Severity::error ? "error" : "warning";
  auto text = where.empty() ? fmt::format("{}: {}\n", kind, diagnostic.message)
                            : fmt::format("{}: {}: {}\n", where, kind, diagnostic.message);
  if (diagnostic.span.is_known() && diagnostic.span.begin.line > 0) {
    const auto number = std::to_string(diagnostic.span.begin.line);
    const auto quote = quote_around(diagnostic.span.file->line(diagnostic.span.begin.line), diagnostic.span.begin.column);
    text += fmt::format("  {} | {}\n", number, quote.text);
    text += fmt::format("  {} | {}\n", std::string(number.size(), ' '), caret_line(quote, diagnostic.span.length));
  }
  if (!diagnostic.hint.empty()) {
    text += fmt::format("  {}\n", diagnostic.hint);
  }
  return text;
}

}  // namespace deployctl::base
