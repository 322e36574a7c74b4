// What is wrong with a node, as context of a finding: it is never a verdict by itself.
#pragma once

#include "core/json/value.hpp"

#include <string>
#include <vector>

namespace deployctl::kube {

// "node-1 is not ready: kubelet stopped posting node status", "node-1 has DiskPressure", "node-1 takes no new pods";
// nothing when all is well.
std::vector<std::string> node_troubles(const json::Value& body);

}  // namespace deployctl::kube
