// The revisions of a Deployment, as its replica sets keep them, and how to go back to one.
#pragma once

#include "core/base/result.hpp"
#include "core/kube/object.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

inline constexpr std::string_view revision_annotation = "deployment.kubernetes.io/revision";
inline constexpr std::string_view change_cause_annotation = "kubernetes.io/change-cause";
inline constexpr std::string_view restarted_at_annotation = "deployctl.dev/restarted-at";

struct Revision {
  long long number = 0;
  std::string replica_set;
  std::string change_cause;         // may be empty
  std::string created;              // RFC 3339
  std::vector<std::string> images;  // of the main containers
  int replicas = 0;                 // still running
  bool is_current = false;          // its template is the deployment's
};

// Oldest first. Replica sets that the deployment does not own are left out. Numbers move: going back to a revision
// gives its replica set the next number.
std::vector<Revision> revisions(const Object& deployment, std::span<const Object> replica_sets);

// What a deployment must become to go back.
struct Undo {
  long long from = 0;
  long long to = 0;
  json::Value pod_template;  // without pod-template-hash
  json::Value annotations;   // the deployment's own at that revision, without those of controllers
};

// To revision `to`, or to the one before the current. refused while the deployment is paused; not_found when there is
// no such revision, with those there are; refused when its template is the current one.
base::Result<Undo> undo(const Object& deployment, std::span<const Object> replica_sets, std::optional<long long> to);

// The whole deployment as it must be applied to go back (docs/decisions/0002-undo-by-apply.md): what was read with the
// earlier template and annotations in it, in the version that was read, so that a change made since is a conflict.
Object undone(const Object& deployment, const Undo& undo);

// A merge patch (RFC 7396) that makes every pod start anew; `time` is RFC 3339.
json::Value restart_patch(std::string_view time);

}  // namespace deployctl::kube
