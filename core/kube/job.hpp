// What the API server says about a Job, cut down to whether it has come to its end.
#pragma once

#include "core/json/value.hpp"
#include "core/kube/deployment.hpp"

#include <string>
#include <vector>

namespace deployctl::kube {

struct Job {
  std::string name;
  std::string uid;
  std::string resource_version;
  int active = 0;
  int succeeded = 0;
  int failed = 0;
  std::vector<Condition> conditions;

  static Job from_json(const json::Value& body);

  [[nodiscard]] bool is_complete() const;
  // The condition that says why it will not be tried again; null while it may still succeed.
  [[nodiscard]] const Condition* failure() const;
  [[nodiscard]] bool is_over() const { return is_complete() || failure() != nullptr; }
};

// "1 failed before, a pod is there": one line for people.
std::string describe(const Job& job);

}  // namespace deployctl::kube
