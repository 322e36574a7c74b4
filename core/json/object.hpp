// Objects put together member by member. What nlohmann's braces make on the way (a list of each pair, a list of those)
// is taken apart again at once, and that costs more than the object where there are thousands.
#pragma once

#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace deployctl::json {
namespace detail {

inline void add_members(Value::object_t& /*members*/) {}

template <typename T, typename... Rest>
void add_members(Value::object_t& members, std::string_view name, T&& value, Rest&&... rest) {
  members.emplace_back(std::string(name), std::forward<T>(value));
  add_members(members, std::forward<Rest>(rest)...);
}

}  // namespace detail

// {"a": 1, "b": "x"} of object("a", 1, "b", "x"). The names must differ, which is not looked at.
template <typename... NamesAndValues>
Value object(NamesAndValues&&... names_and_values) {
  static_assert(sizeof...(names_and_values) % 2 == 0, "each name needs a value");
  auto made = Value::object();
  auto& members = made.get_ref<Value::object_t&>();
  members.reserve(sizeof...(names_and_values) / 2);
  detail::add_members(members, std::forward<NamesAndValues>(names_and_values)...);
  return made;
}

// A list of one item.
inline Value list_of(Value item) {
  auto made = Value::array();
  made.push_back(std::move(item));
  return made;
}

}  // namespace deployctl::json
