// Carrying out a plan: the only code that changes the world for a release.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/ports.hpp"
#include "core/execute/recorded_rollout.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace deployctl::execute {

struct ExecuteOptions {
  std::chrono::milliseconds rollout_deadline{300'000};
  unsigned parallel = 4;
  std::string tool_version;  // of deployctl, for provenance and records: "0.1.0"
  RecordOptions record;
  cluster::Force force = cluster::Force::no;  // take fields over from other managers
};

// Which image a service has after the run: pinned by digest once it is pushed, "repository:tag" when only built.
struct ServiceImage {
  std::string service;
  std::string reference;
};

struct Execution {
  base::Status status;
  std::vector<ServiceImage> images;  // in the plan's order, as far as the run came
};

// Runs the steps of the plan, those that change the cluster as a recorded rollout (recorded_rollout.hpp), against the
// world that was seen. Every step tells itself as events. After a failure nothing new is begun, but rollouts that are
// under way are watched to their end; steps that did not begin are told as skipped, with the reason.
Execution execute(const plan::Plan& plan, const project::Target& target, Seen& seen, const ExecuteOptions& options,
                  const Ports& ports);

}  // namespace deployctl::execute
