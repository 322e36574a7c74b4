// The part every generated object has in common.
#pragma once

#include "core/json/value.hpp"
#include "core/project/model.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace deployctl::generate {

// apiVersion, kind and metadata with namespace, name and labels.
json::Value object_of(std::string_view api_version, std::string_view kind, const project::Target& target,
                      const project::Service& service, const std::string& name);

// Text as a label value may be: other bytes than letters, digits, '-', '_' and '.' become '-', 63 bytes, ends trimmed.
std::string label_value(std::string_view text);

}  // namespace deployctl::generate
