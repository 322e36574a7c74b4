// A ResourceQuota as the API server goes by it, and whether one that has refused a pod would do so again.
#pragma once

#include "core/json/value.hpp"

#include <map>
#include <string>
#include <string_view>

namespace deployctl::kube {

struct Quota {
  std::map<std::string, std::string> hard;  // resource -> quantity, of the status: what admission goes by
  std::map<std::string, std::string> used;

  static Quota from_json(const json::Value& body);
};

using Quotas = std::map<std::string, Quota>;  // of a namespace, by name

// Whether the quota that the refusal names is gone, or has room by now for what it refused. The refusal is what the API
// server says: '… exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1'. False in doubt.
bool is_relieved(std::string_view refusal, const Quotas& quotas);

}  // namespace deployctl::kube
