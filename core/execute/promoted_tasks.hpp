// The tasks of a recorded release. Its record has none: they are those of the project manifest, for each service that
// this makes what was released.
#pragma once

#include "core/execute/ports.hpp"
#include "core/kube/release.hpp"
#include "core/plan/task_steps.hpp"
#include "core/project/model.hpp"

#include <map>
#include <string>
#include <vector>

namespace deployctl::execute {

struct PromotedTasks {
  std::map<std::string, plan::ServiceTasks> by_service;
  std::vector<std::string> unknown;  // services with tasks of which the project manifest makes something else now
};

PromotedTasks tasks_of(const project::Target& target, const kube::Release& release, const Ports& ports);

}  // namespace deployctl::execute
