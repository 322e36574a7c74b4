#include "core/images/tag_order.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace deployctl::images {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

// Takes the digits or the other letters that a text begins with.
std::string_view take_part(std::string_view& text) {
  const bool is_number = !text.empty() && is_digit(text.front());
  const auto end = std::ranges::find_if(text, [&](char letter) { return is_digit(letter) != is_number; });
  const auto part = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(part.size());
  return part;
}

int compare_numbers(std::string_view one, std::string_view other) {
  const auto significant = [](std::string_view digits) {
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
  };
  const auto left = significant(one);
  const auto right = significant(other);
  return left.size() != right.size() ? (left.size() < right.size() ? -1 : 1) : left.compare(right);
}

// Whether it is what follows a version that is still to come: "-rc.1", "-beta2".
bool leads_to_release(std::string_view rest) {
  constexpr std::array<std::string_view, 5> words{"-alpha", "-beta", "-dev", "-pre", "-rc"};
  const auto lower = base::to_lower(rest);
  return std::ranges::any_of(words, [&](std::string_view word) {
    const auto next = lower.size() > word.size() ? lower[word.size()] : '.';
    return lower.starts_with(word) && (next == '.' || next == '-' || is_digit(next));
  });
}

// Below 0 when `tag` comes first; 0 for tags that differ in leading zeros only.
int compare(std::string_view tag, std::string_view other) {
  while (!tag.empty() && !other.empty()) {
    if (leads_to_release(tag) != leads_to_release(other)) {
      return leads_to_release(tag) ? -1 : 1;
    }
    const auto left = take_part(tag);
    const auto right = take_part(other);
    const bool are_numbers = is_digit(left.front()) && is_digit(right.front());
    const auto order = are_numbers ? compare_numbers(left, right) : left.compare(right);
    if (order != 0) {
      return order;
    }
  }
  if (tag.empty() == other.empty()) {
    return 0;
  }
  return leads_to_release(tag) || (!other.empty() && !leads_to_release(other)) ? -1 : 1;
}

}  // namespace

bool comes_before(std::string_view tag, std::string_view other) {
  const auto order = compare(tag, other);
  return order != 0 ? order < 0 : tag < other;
}

bool is_referrer_tag(std::string_view tag) {
  constexpr std::string_view prefix = "sha256-";
  constexpr std::size_t digits = 64;
  const auto is_hex = [](char letter) { return is_digit(letter) || (letter >= 'a' && letter <= 'f'); };
  if (!tag.starts_with(prefix) || tag.size() < prefix.size() + digits) {
    return false;
  }
  const auto rest = tag.substr(prefix.size() + digits);
  return std::ranges::all_of(tag.substr(prefix.size(), digits), is_hex) && (rest.empty() || rest.starts_with('.'));
}

Tags in_order(std::vector<std::string> tags) {
  std::ranges::sort(tags, comes_before);
  Tags sorted;
  for (auto& tag : tags) {
    auto& kind = is_referrer_tag(tag) ? sorted.referrers : sorted.names;
    kind.push_back(std::move(tag));
  }
  return sorted;
}

}  // namespace deployctl::images
