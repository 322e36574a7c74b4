#include "core/kube/node.hpp"

#include "core/json/reader.hpp"
#include "core/kube/decode.hpp"

#include <fmt/core.h>

namespace deployctl::kube {

std::vector<std::string> node_troubles(const json::Value& body) {
  const json::Reader root(body);
  const auto name = root.at("metadata", "name").string_or();
  std::vector<std::string> troubles;
  for (const auto& condition : read_conditions(root.at("status", "conditions"))) {
    if (condition.type == "Ready" && condition.status != "True") {
      troubles.push_back(fmt::format("{} is not ready: {}", name, condition.message));
    } else if (condition.type.ends_with("Pressure") && condition.status == "True") {
      troubles.push_back(fmt::format("{} has {}: {}", name, condition.type, condition.message));
    }
  }
  if (root.at("spec", "unschedulable").boolean_or()) {
    troubles.push_back(fmt::format("{} takes no new pods (cordoned)", name));
  }
  return troubles;
}

}  // namespace deployctl::kube
