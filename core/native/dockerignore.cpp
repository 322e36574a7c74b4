#include "core/native/dockerignore.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace deployctl::native {
namespace {

using Parts = std::span<const std::string>;
using Names = std::span<const std::string_view>;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Whether the byte is in the class that begins behind a '['; `rest` is left behind its ']'. Nothing when it has none.
std::optional<bool> is_in_class(std::string_view& rest, char byte) {
  const bool is_negated = rest.starts_with('^');
  if (is_negated) {
    rest.remove_prefix(1);
  }
  bool found = false;
  for (bool is_first = true; !rest.empty() && (is_first || rest.front() != ']'); is_first = false) {
    const char low = rest.front();
    rest.remove_prefix(1);
    char high = low;
    if (rest.size() > 1 && rest.front() == '-' && rest[1] != ']') {
      high = rest[1];
      rest.remove_prefix(2);
    }
    found = found || (low <= byte && byte <= high);
  }
  if (rest.empty()) {
    return std::nullopt;
  }
  rest.remove_prefix(1);
  return found != is_negated;
}

// Go's filepath.Match within one part of a path.
bool matches_name(std::string_view pattern, std::string_view name) {
  while (!pattern.empty()) {
    const char first = pattern.front();
    if (first == '*') {
      pattern.remove_prefix(1);
      for (std::size_t skipped = 0; skipped <= name.size(); ++skipped) {
        if (matches_name(pattern, name.substr(skipped))) {
          return true;
        }
      }
      return false;
    }
    if (name.empty()) {
      return false;
    }
    pattern.remove_prefix(1);
    if (first == '[') {
      if (!is_in_class(pattern, name.front()).value_or(false)) {
        return false;
      }
    } else if (first == '\\' && !pattern.empty()) {
      if (pattern.front() != name.front()) {
        return false;
      }
      pattern.remove_prefix(1);
    } else if (first != '?' && first != name.front()) {
      return false;
    }
    name.remove_prefix(1);
  }
  return name.empty();
}

// Whether the pattern matches all of the path, or a folder it lies in.
bool matches_parts(Parts pattern, Names names) {
  if (pattern.empty()) {
    return true;
  }
  if (pattern.front() == "**") {
    for (std::size_t skipped = 0; skipped <= names.size(); ++skipped) {
      if (matches_parts(pattern.subspan(1), names.subspan(skipped)) && (pattern.size() > 1 || skipped > 0)) {
        return true;
      }
    }
    return false;
  }
  return !names.empty() && matches_name(pattern.front(), names.front()) &&
         matches_parts(pattern.subspan(1), names.subspan(1));
}

std::vector<std::string> parts_of(std::string_view pattern) {
  std::vector<std::string> parts;
  for (const auto part : base::split(pattern, '/')) {
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != "." && part != "..") {
      parts.emplace_back(part);
    }
  }
  return parts;
}

}  // namespace

IgnoreRules IgnoreRules::parse(std::string_view text) {
  if (text.starts_with(byte_order_mark)) {
    text.remove_prefix(byte_order_mark.size());
  }
  IgnoreRules rules;
  for (auto line : base::split(text, '\n')) {
    if (line.starts_with('#')) {
      continue;
    }
    line = base::trim(line);
    const bool is_exception = line.starts_with('!');
    if (is_exception) {
      line = base::trim(line.substr(1));
    }
    if (auto parts = parts_of(line); !parts.empty()) {
      rules.patterns_.push_back({.parts = std::move(parts), .is_exception = is_exception});
    }
  }
  return rules;
}

bool IgnoreRules::matches(const Pattern& pattern, std::string_view path) {
  const auto names = base::split(path, '/');
  return matches_parts(pattern.parts, names);
}

bool IgnoreRules::leaves_out(std::string_view path, std::string_view root) const {
  bool is_out = false;
  for (const auto& pattern : patterns_) {
    const bool counts = root.empty() || !matches(pattern, root);
    if (is_out == pattern.is_exception && counts && matches(pattern, path)) {
      is_out = !pattern.is_exception;
    }
  }
  return is_out;
}

bool IgnoreRules::has_exceptions() const {
  return std::ranges::any_of(patterns_, &Pattern::is_exception);
}

std::string IgnoreRules::exceptions() const {
  std::string lines;
  for (const auto& pattern : patterns_) {
    lines += pattern.is_exception ? base::join(pattern.parts, "/") + "\n" : "";
  }
  return lines;
}

bool IgnoreRules::takes_back(std::string_view path) const {
  return std::ranges::any_of(patterns_,
                             [&](const Pattern& pattern) { return pattern.is_exception && matches(pattern, path); });
}

}  // namespace deployctl::native
