// Line diff by longest common subsequence: what both texts begin and end with is set aside, and the rest goes through
// the usual table, whose entry [i][j] is how many lines before[i…] and after[j…] can share. A rest too large for the
// table is shown as one replacement.
#include "core/base/text.hpp"
#include "core/generate/write.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

namespace deployctl::generate {
namespace {

using Lines = std::span<const std::string_view>;

constexpr std::size_t largest_table = 4'000'000;
constexpr std::size_t context_lines = 3;

enum class Edit : char { keep = ' ', remove = '-', add = '+' };

struct EditedLine {
  Edit edit = Edit::keep;
  std::string_view text;
};

using Script = std::vector<EditedLine>;

// Lines keep their line feed, so that a missing one at the end is a difference.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

void append(Script& script, Edit edit, Lines lines) {
  for (const auto line : lines) {
    script.push_back({edit, line});
  }
}

class SharedLines {
 public:
  SharedLines(Lines before, Lines after) : width_(after.size() + 1), table_((before.size() + 1) * width_) {
    for (auto i = before.size(); i-- > 0;) {
      for (auto j = after.size(); j-- > 0;) {
        table_[i * width_ + j] = before[i] == after[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  [[nodiscard]] std::uint32_t at(std::size_t i, std::size_t j) const { return table_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint32_t> table_;
};

void append_middle(Script& script, Lines before, Lines after) {
  if ((before.size() + 1) * (after.size() + 1) > largest_table) {
    append(script, Edit::remove, before);
    append(script, Edit::add, after);
    return;
  }
  const SharedLines shared(before, after);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() && j < after.size()) {
    if (before[i] == after[j]) {
      script.push_back({Edit::keep, before[i++]});
      ++j;
    } else if (shared.at(i + 1, j) >= shared.at(i, j + 1)) {
      script.push_back({Edit::remove, before[i++]});
    } else {
      script.push_back({Edit::add, after[j++]});
    }
  }
  append(script, Edit::remove, before.subspan(i));
  append(script, Edit::add, after.subspan(j));
}

Script edit_script(Lines before, Lines after) {
  const auto shorter = std::min(before.size(), after.size());
  std::size_t head = 0;
  while (head < shorter && before[head] == after[head]) {
    ++head;
  }
  std::size_t tail = 0;
  while (tail < shorter - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  Script script;
  append(script, Edit::keep, before.first(head));
  append_middle(script, before.subspan(head, before.size() - head - tail),
                after.subspan(head, after.size() - head - tail));
  append(script, Edit::keep, before.last(tail));
  return script;
}

// A stretch of the script: changes no further apart than their contexts reach.
struct Hunk {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::vector<Hunk> hunks_of(const Script& script) {
  std::vector<Hunk> hunks;
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (script[i].edit == Edit::keep) {
      continue;
    }
    const auto begin = i < context_lines ? 0 : i - context_lines;
    const auto end = std::min(script.size(), i + context_lines + 1);
    if (!hunks.empty() && begin <= hunks.back().end) {
      hunks.back().end = end;
    } else {
      hunks.push_back({begin, end});
    }
  }
  return hunks;
}

std::size_t count(std::span<const EditedLine> lines, Edit other) {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [other](const EditedLine& line) { return line.edit == Edit::keep || line.edit == other; }));
}

// "12,5": the first line and how many; an empty range stands after the line before it.
std::string range_text(std::size_t lines_before, std::size_t lines) {
  return fmt::format("{},{}", lines == 0 ? lines_before : lines_before + 1, lines);
}

std::string render(const Script& script, const Hunk& hunk) {
  const std::span all(script);
  const auto head = all.first(hunk.begin);
  const auto body = all.subspan(hunk.begin, hunk.end - hunk.begin);
  auto text = fmt::format("@@ -{} +{} @@\n", range_text(count(head, Edit::remove), count(body, Edit::remove)),
                          range_text(count(head, Edit::add), count(body, Edit::add)));
  for (const auto& line : body) {
    text += static_cast<char>(line.edit);
    text += line.text;
    text += line.text.ends_with('\n') ? "" : "\n\\ No newline at end of file\n";
  }
  return text;
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, std::string_view path) {
  if (before == after) {
    return "";
  }
  const auto script = edit_script(lines_of(before), lines_of(after));
  auto text = fmt::format("--- {}\n+++ {}\n", path, path);
  for (const auto& hunk : hunks_of(script)) {
    text += render(script, hunk);
  }
  return text;
}

}  // namespace deployctl::generate
