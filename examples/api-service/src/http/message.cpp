#include "http/message.hpp"

#include "http/text.hpp"

#include <algorithm>

namespace http {

void Headers::set(std::string_view name, std::string_view value) {
  const auto field =
      std::ranges::find_if(fields_, [&](const auto& each) { return equal_ignoring_case(each.first, name); });
  if (field == fields_.end()) {
    add(name, value);
  } else {
    field->second = value;
  }
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  const auto field =
      std::ranges::find_if(fields_, [&](const auto& each) { return equal_ignoring_case(each.first, name); });
  if (field == fields_.end()) {
    return std::nullopt;
  }
  return field->second;
}

}  // namespace http
