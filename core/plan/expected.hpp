// What applying an object would change, field by field, as the API server's dry run told.
#pragma once

#include "core/kube/field_diff.hpp"
#include "core/plan/plan.hpp"

#include <optional>
#include <string>
#include <vector>

namespace deployctl::plan {

struct ExpectedField {
  kube::FieldPath path;
  std::optional<json::Value> before;          // nothing: it is not there; a Secret's values are never in here
  std::optional<json::Value> after;           // nothing: it goes
  std::optional<kube::FieldManager> manager;  // who set what is there, where that is somebody else
};

struct ExpectedChange {
  Change change = Change::unknown;
  std::vector<ExpectedField> fields;  // of an update; an object that is not there yet is new as a whole
  std::string uid;                    // of the live object
};

// Live body to dry run's body; `live` may be null. Values that a Secret holds are replaced by "***".
ExpectedChange expected_change(const kube::Object* live, const kube::Object& applied);

// Whether new pods take the place of the ones there are: a workload whose pod template changes.
bool replaces_pods(const kube::ObjectKey& key, const ExpectedChange& expected);

// Whether it changes what somebody else has set, which an apply refuses unless it is told to take it over.
bool needs_take_over(const ExpectedChange& expected);

// In words, why the object is applied: "new", "replaces the pods: image, env[LOG]", "scales from 2 to 3", "kubectl-edit
// has changed it: takes --take-over"; empty when nothing changes.
std::string reason_for(const kube::ObjectKey& key, const ExpectedChange& expected);

}  // namespace deployctl::plan
