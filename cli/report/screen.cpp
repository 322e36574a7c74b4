// ECMA-48: CSI n A is cursor up, CSI K erases to the end of the line, CSI J to the end of the screen; CSI ? 25 hides
// and shows the cursor, CSI ? 7 switches wrapping at the right margin (DEC private modes). Rows are written over the
// old ones and cleared behind, never before: a cleared screen would flicker.
#include "cli/report/screen.hpp"

#include "core/base/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::cli::report {
namespace {

// Cells a row takes; escape sequences (colours) take none.
std::size_t cells(std::string_view row) {
  std::string visible;
  while (!row.empty()) {
    const auto escape = std::min(row.find('\x1b'), row.size());
    visible += row.substr(0, escape);
    row.remove_prefix(escape);
    row.remove_prefix(std::min(row.find('m'), row.empty() ? 0 : row.size() - 1) + (row.empty() ? 0 : 1));
  }
  return base::display_width(visible);
}

}  // namespace

std::string Screen::draw(const std::vector<std::string>& finished, const std::vector<std::string>& rows,
                         std::size_t width) {
  auto text = "\x1b[?25l" + back_to_top(width);
  for (const auto& line : finished) {
    text += line + "\x1b[K\n";
  }
  text += "\x1b[?7l";
  drawn_.clear();
  for (const auto& row : rows) {
    text += row + "\x1b[K\n";
    drawn_.push_back(cells(row));
  }
  return text + "\x1b[?7h\x1b[J\x1b[?25h";
}

std::string Screen::erase(std::size_t width) {
  if (drawn_.empty()) {
    return {};
  }
  auto text = back_to_top(width) + "\x1b[J";
  drawn_.clear();
  return text;
}

// A terminal that was made narrower meanwhile has folded rows that were too wide for it.
std::string Screen::back_to_top(std::size_t width) const {
  std::size_t lines = 0;
  for (const auto row : drawn_) {
    lines += width == 0 ? 1 : std::max<std::size_t>(1, (row + width - 1) / width);
  }
  return lines == 0 ? "\r" : fmt::format("\r\x1b[{}A", lines);
}

}  // namespace deployctl::cli::report
