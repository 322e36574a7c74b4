#include "core/registry/patience.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"

#include <fmt/core.h>

namespace deployctl::registry {
namespace {

using std::chrono::milliseconds;

constexpr long long most_attempts = 100;

std::string useless(std::string_view name, std::string_view value, std::string_view wanted) {
  return fmt::format("{}={} is not used: it must be {}", name, base::printable(value), wanted);
}

void read_number(const io::Environment& environment, std::string_view name, int& number, Patience& patience) {
  const auto text = environment.get_or(name, "");
  const auto value = base::parse_integer(text);
  if (value && *value >= 1 && *value <= most_attempts) {
    number = static_cast<int>(*value);
  } else if (!text.empty()) {
    patience.remarks.push_back(useless(name, text, fmt::format("a number from 1 to {}", most_attempts)));
  }
}

void read_duration(const io::Environment& environment, std::string_view name, milliseconds& duration,
                   Patience& patience) {
  const auto text = environment.get_or(name, "");
  const auto value = base::parse_duration(text);
  if (value && *value > milliseconds(0)) {
    duration = *value;
  } else if (!text.empty()) {
    patience.remarks.push_back(useless(name, text, "a duration such as 500ms or 30s"));
  }
}

}  // namespace

Patience patience(const io::Environment& environment) {
  Patience patience;
  read_number(environment, "DEPLOYCTL_REGISTRY_ATTEMPTS", patience.retry.attempts, patience);
  read_duration(environment, "DEPLOYCTL_REGISTRY_RETRY_WAIT", patience.retry.first_wait, patience);
  read_duration(environment, "DEPLOYCTL_REGISTRY_STALL_TIMEOUT", patience.timeouts.stall, patience);
  return patience;
}

}  // namespace deployctl::registry
