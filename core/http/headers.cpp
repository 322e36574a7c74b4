#include "core/base/text.hpp"
#include "core/http/transport.hpp"

#include <algorithm>

namespace deployctl::http {

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  add(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return base::equals_ignoring_case(field.first, name); });
}

std::optional<std::string> Headers::get(std::string_view name) const {
  const auto field = std::ranges::find_if(
      fields_, [&](const auto& candidate) { return base::equals_ignoring_case(candidate.first, name); });
  return field == fields_.end() ? std::nullopt : std::optional(field->second);
}

std::vector<std::string> Headers::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [field, value] : fields_) {
    if (base::equals_ignoring_case(field, name)) {
      values.push_back(value);
    }
  }
  return values;
}

}  // namespace deployctl::http
