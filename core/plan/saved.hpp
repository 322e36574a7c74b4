// A plan as a file: what will be applied and what it changes, made to be looked at, approved and carried out later,
// exactly as it is or not at all. Holds no secret: values of Secrets are in none of its objects.
#pragma once

#include "core/base/result.hpp"
#include "core/kube/cluster_identity.hpp"
#include "core/plan/release.hpp"
#include "core/project/model.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::plan {

inline constexpr std::string_view saved_plan_format = "deployctl-plan/1";

struct SavedField {
  std::string path;
  std::string before;  // compact text, empty: nothing is there
  std::string after;
  std::string manager;  // who set what is there, when that is somebody else

  friend bool operator==(const SavedField&, const SavedField&) = default;
};

struct SavedStep {
  std::string id;
  std::string service;
  std::string title;
  Change change = Change::unknown;
  std::string reason;
  std::vector<std::string> after;
  json::Value object;              // of an apply; null otherwise
  std::string uid;                 // of the live object; empty: it is new
  std::vector<SavedField> fields;  // of an update

  friend bool operator==(const SavedStep&, const SavedStep&) = default;
};

struct SavedPlan {
  std::string project;
  std::string environment;
  std::string name_space;
  std::string tag;
  std::string commit;
  std::string tool_version;
  std::string created;  // RFC 3339
  kube::ClusterIdentity cluster;
  std::vector<std::string> services;          // it is about; empty: all
  std::map<std::string, std::string> images;  // service -> "repository:tag@sha256:…"
  std::vector<SavedStep> steps;

  friend bool operator==(const SavedPlan&, const SavedPlan&) = default;
};

// Of a plan that only rolls out, made with a dry run.
SavedPlan saved(const Plan& plan, const Observation& seen, const Wish& wish);

// "sha256:…" over everything in it.
std::string digest_of(const SavedPlan& plan);
std::string to_text(const SavedPlan& plan);
// invalid_input when it is no saved plan, of another version of the format, or not what its digest says.
base::Result<SavedPlan> read_saved_plan(std::string_view text, const std::string& path);

// Why the plan made now is not the saved one, apart from what the cluster has become since: another project, another
// target, objects or steps that differ ("deployment/api: spec.replicas is 3 in the plan and 5 now").
base::Status same_intent(const SavedPlan& before, const SavedPlan& now);

// What has changed in the cluster since, where the plan touches it: fields that have another value than the plan saw
// (and not already the one it sets), objects that have gone or come, or are others by the same name. `now` is the same
// plan made anew.
struct Drift {
  std::string object;  // "deployment/api"
  std::string path;    // empty: the whole object
  std::string words;   // "was \"2\", is \"5\" now"
  std::string manager;
  std::string time;
};
std::vector<Drift> drift(const SavedPlan& before, const SavedPlan& now, const Observation& seen);

// All of it as one refusal.
base::Error to_error(const std::vector<Drift>& drifts);

}  // namespace deployctl::plan
