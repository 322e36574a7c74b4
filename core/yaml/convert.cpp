#include "core/yaml/convert.hpp"

#include "core/yaml/scalar.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::yaml {
namespace {

json::Value scalar_to_json(const Node& node) {
  if (is_null(node)) {
    return nullptr;
  }
  if (const auto boolean = as_boolean(node)) {
    return *boolean;
  }
  if (const auto integer = as_integer(node)) {
    return *integer;
  }
  if (const auto number = node.is_quoted ? std::nullopt : float_of_text(node.scalar)) {
    return *number;
  }
  return node.scalar;
}

}  // namespace

json::Value to_json(const Node& node) {
  if (node.kind == NodeKind::sequence) {
    json::Value::array_t items;
    items.reserve(node.items.size());
    for (const auto& item : node.items) {
      items.push_back(to_json(item));
    }
    return json::Value(std::move(items));
  }
  if (node.kind == NodeKind::mapping) {
    json::Value::object_t members;
    members.reserve(node.entries.size());
    for (const auto& entry : node.entries) {
      members.emplace_back(*entry.key, to_json(entry.value));
    }
    return json::Value(std::move(members));
  }
  return scalar_to_json(node);
}

}  // namespace deployctl::yaml
