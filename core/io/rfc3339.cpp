#include "core/base/text.hpp"
#include "core/io/clock.hpp"

#include <algorithm>

namespace deployctl::io {
namespace {

// Takes the leading digits, exactly `count` of them.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  const auto digits = text.substr(0, count);
  const bool is_number =
      digits.size() == count && std::ranges::all_of(digits, [](char byte) { return byte >= '0' && byte <= '9'; });
  if (!is_number) {
    return std::nullopt;
  }
  text.remove_prefix(count);
  return static_cast<int>(*base::parse_integer(digits));
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// ".123456" in milliseconds.
int take_fraction(std::string_view& text) {
  if (!take(text, '.')) {
    return 0;
  }
  int milliseconds = 0;
  int scale = 100;
  while (const auto digit = take_number(text, 1)) {
    milliseconds += *digit * scale;
    scale /= 10;
  }
  return milliseconds;
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) {
    return std::chrono::minutes(0);
  }
  const bool is_west = !text.empty() && text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) {
    return std::nullopt;
  }
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ':')) {
    return std::nullopt;
  }
  const auto minutes = take_number(text, 2);
  if (!minutes) {
    return std::nullopt;
  }
  const auto offset = std::chrono::minutes(*hours * 60 + *minutes);
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = take_number(text, 4);
  const bool dash = take(text, '-');
  const auto month_number = take_number(text, 2);
  const bool second_dash = take(text, '-');
  const auto day_number = take_number(text, 2);
  const bool separator = take(text, 'T') || take(text, 't') || take(text, ' ');
  const auto hour = take_number(text, 2);
  const bool colon = take(text, ':');
  const auto minute = take_number(text, 2);
  const bool second_colon = take(text, ':');
  const auto second = take_number(text, 2);
  const auto fraction = take_fraction(text);
  const auto offset = take_offset(text);
  if (!dash || !second_dash || !separator || !colon || !second_colon || !second || !offset || !text.empty()) {
    return std::nullopt;
  }
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  return sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) + milliseconds(fraction) - *offset;
}

}  // namespace deployctl::io
