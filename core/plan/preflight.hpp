// What would keep a rollout from succeeding, as far as it can be told before anything is written: pure checks over
// facts that execute/preflight.hpp gathers.
#pragma once

#include "core/base/error.hpp"
#include "core/kube/object.hpp"
#include "core/plan/capacity.hpp"
#include "core/plan/image_access.hpp"
#include "core/plan/permissions.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deployctl::plan {

// Pods that are made beside the stable ones: a canary's, or a whole new side's.
struct PodsBeside {
  kube::Object deployment;
  int most = 0;          // that there will be
  int there = 0;         // already
  bool is_side = false;  // they are the ones the service gets, and the stable ones stay untouched until they are ready
};

// Whether the task of a release has been done, so that it will not run again.
enum class TaskState { due, done, unknown };

// What was found out; nothing where it could not be (not permitted) or was not worth a request.
struct PreflightFacts {
  std::vector<NeededPermission> missing_permissions;
  std::string user;                                 // whose; may be empty
  std::map<kube::ObjectKey, base::Error> refusals;  // of the dry runs
  std::map<kube::ObjectKey, Change> changes;        // what they would change
  std::map<std::string, kube::Object> deployments;  // as they are now, by name
  std::optional<std::vector<kube::Object>> quotas;
  std::optional<std::vector<kube::Object>> limit_ranges;
  std::optional<std::vector<kube::Object>> nodes;
  std::optional<std::vector<kube::Object>> pods;  // of all namespaces
  std::map<std::string, ImageAccess> images;      // by service
  std::map<std::string, PodsBeside> beside;       // by service
  std::map<std::string, TaskState> tasks;         // by step; those that are not named are due
  // Names that a claim may ask for, of classes and of volumes made by hand; only where a claim of the plan asks for
  // one.
  std::optional<std::vector<std::string>> storage_classes;
  std::vector<std::string> remarks;  // what could not be found out, in words
  // Secrets and ConfigMaps that objects of the plan name and that are not of the plan, with their keys; no keys: there
  // is no such object.
  std::map<std::pair<std::string, std::string>, std::optional<std::set<std::string>>> named_objects;
};

struct PreflightFinding {
  base::ErrorCode code = base::ErrorCode::rollout_failed;  // decides the exit code
  std::string what;                                        // one line
  std::string advice;                                      // what to do; may be several lines
};

struct PreflightReport {
  std::vector<PreflightFinding> findings;  // any of them keeps the rollout from beginning
  std::vector<std::string> remarks;        // may go wrong, or could not be told
};

// What a claim asks for by name; empty for one that asks for none, and for every other object.
std::string storage_class_of(const kube::Object& claim);

// Whether an IngressClass is the one that the Ingress names, or the default for one that names none.
bool is_class_of(const kube::Object& ingress_class, const kube::Object& ingress);
// Whether a class with this spec.controller is of ingress-nginx, which may be given a name of one's own for each
// ("k8s.io/internal-ingress-nginx").
bool is_ingress_nginx(std::string_view controller);

// What the workloads that the plan makes or changes ask for at the peak, and those that are made beside them.
std::vector<Load> loads_of(const Plan& plan, const PreflightFacts& facts);

// Steps whose task would find no room in limits, quotas and nodes, by id, with the reason: of these it is worth asking
// whether they have been done.
std::map<std::string, std::string> tasks_without_room(const Plan& plan, const PreflightFacts& facts);

PreflightReport preflight(const Plan& plan, const project::Target& target, const PreflightFacts& facts);

// All findings as one error whose code is that of the gravest: refused, then unauthorized, invalid_input,
// rollout_failed, conflict. There must be one.
base::Error to_error(const std::vector<PreflightFinding>& findings);

// Objects that objects of the plan name and that it does not make itself: ("Secret", "api-tls").
std::set<std::pair<std::string, std::string>> named_elsewhere(const Plan& plan);

}  // namespace deployctl::plan
