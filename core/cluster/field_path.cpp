#include "core/cluster/field_path.hpp"

#include "core/base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace deployctl::cluster {
namespace {

const json::Value* member(const json::Value& object, std::string_view name) {
  const auto found = object.is_object() ? object.find(std::string(name)) : object.end();
  return found == object.end() ? nullptr : &*found;
}

// `name="api"` or `port=80`.
bool has_member(const json::Value& element, std::string_view condition) {
  const auto [name, wanted] = base::split_once(condition, '=');
  const auto* value = member(element, name);
  return value != nullptr && value->dump() == wanted;
}

// Between the brackets: an index, the identifying members, or ="value" for an element of a set.
const json::Value* element(const json::Value& list, std::string_view selector) {
  if (!list.is_array()) {
    return nullptr;
  }
  if (const auto index = base::parse_integer(selector)) {
    return *index >= 0 && static_cast<std::size_t>(*index) < list.size() ? &list[static_cast<std::size_t>(*index)]
                                                                         : nullptr;
  }
  const auto conditions = base::split(selector, ',');
  const auto found = std::ranges::find_if(list, [&](const json::Value& candidate) {
    return std::ranges::all_of(conditions, [&](auto condition) { return has_member(candidate, condition); });
  });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

const json::Value* find_field(const json::Value& object, std::string_view path) {
  const auto* value = &object;
  while (value != nullptr && !path.empty()) {
    if (path.front() == '.') {
      path.remove_prefix(1);
      const auto name = path.substr(0, path.find_first_of(".["));
      path.remove_prefix(name.size());
      value = member(*value, name);
    } else if (path.front() == '[') {
      const auto close = path.find(']');
      if (close == std::string_view::npos) {
        return nullptr;
      }
      value = element(*value, path.substr(1, close - 1));
      path.remove_prefix(close + 1);
    } else {
      return nullptr;
    }
  }
  return value;
}

}  // namespace deployctl::cluster
