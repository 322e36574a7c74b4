// The value a field path of an API message names: .spec.template.spec.containers[name="api"].image
#pragma once

#include "core/json/value.hpp"

#include <string_view>

namespace deployctl::cluster {

// Null when the path leads nowhere or cannot be read. List elements are named by index or by the members that identify
// them (server-side apply documentation, "Merge strategy").
const json::Value* find_field(const json::Value& object, std::string_view path);

}  // namespace deployctl::cluster
