#include "core/base/duration.hpp"

#include "core/base/text.hpp"

#include <array>

namespace deployctl::base {
namespace {

struct Unit {
  std::string_view name;
  long long milliseconds;
};

constexpr std::array units{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                           Unit{"ms", 1}};
constexpr long long longest = 10'000LL * 86'400'000;

const Unit* find_unit(std::string_view name) {
  for (const auto& unit : units) {
    if (unit.name == name) {
      return &unit;
    }
  }
  return nullptr;
}

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
  const auto refusal = Error::invalid_input("'{}' is not a duration", printable(text))
                           .with_hint("write a number and a unit: 500ms, 30s, 5m, 1h30m");
  if (text == "0") {
    return Milliseconds{0};
  }
  if (text.empty()) {
    return refusal;
  }
  long long total = 0;
  for (auto rest = text; !rest.empty();) {
    const auto digits = rest.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) {
      return refusal;
    }
    const auto number = parse_integer(rest.substr(0, digits));
    rest.remove_prefix(digits);
    const auto unit_end = std::min(rest.find_first_of("0123456789"), rest.size());
    const auto* unit = find_unit(rest.substr(0, unit_end));
    rest.remove_prefix(unit_end);
    if (!number || unit == nullptr || *number > longest / unit->milliseconds) {
      return refusal;
    }
    total += *number * unit->milliseconds;
    if (total > longest) {
      return refusal;
    }
  }
  return Milliseconds{total};
}

std::string to_string(Milliseconds duration) {
  std::string text;
  auto rest = duration.count();
  for (const auto& unit : units) {
    if (rest >= unit.milliseconds) {
      text += std::to_string(rest / unit.milliseconds) + std::string(unit.name);
      rest %= unit.milliseconds;
    }
  }
  return text.empty() ? "0s" : text;
}

std::string human_duration(Milliseconds duration) {
  const auto total = duration.count();
  if (total < 10'000) {
    return fmt::format("{}.{}s", total / 1000, total / 100 % 10);
  }
  const auto seconds = total / 1000;
  if (seconds < 60) {
    return fmt::format("{}s", seconds);
  }
  if (seconds < 3600) {
    return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  }
  if (seconds < 172'800) {
    return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  }
  return fmt::format("{}d", seconds / 86'400);
}

}  // namespace deployctl::base
