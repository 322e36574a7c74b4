// The parts of preflight (preflight.hpp) that are a concept of their own. Each adds to the report.
#pragma once

#include "core/kube/object.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/preflight.hpp"

#include <vector>

namespace deployctl::plan {

std::vector<const ApplyObject*> applied_objects(const Plan& plan);
bool is_workload(const kube::Object& object);
// As far as its dry run has told.
bool is_unchanged(const kube::Object& object, const PreflightFacts& facts);

// Names that lead nowhere: of what objects read, what a Service selects, and the port it leads to.
void check_references(const Plan& plan, const PreflightFacts& facts, PreflightReport& report);

// Whether limits, quotas and nodes have room for the pods: of workloads at their peak, and of tasks.
void check_room(const Plan& plan, const PreflightFacts& facts, PreflightReport& report);

}  // namespace deployctl::plan
