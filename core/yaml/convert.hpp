// Positioned tree to plain JSON, for files that are read as data (kubeconfig) rather than decoded with positions.
#pragma once

#include "core/json/value.hpp"
#include "core/yaml/node.hpp"

namespace deployctl::yaml {

// Plain scalars become null, booleans, integers or floats by the core schema; quoted ones stay strings.
json::Value to_json(const Node& node);

}  // namespace deployctl::yaml
