// The revisions of a Deployment, as its replica sets keep them.
#pragma once

#include "core/kube/object.hpp"

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

// Since when the pods of the deployment's revision are there: when the oldest was made of those that are not on their
// way out; RFC 3339, empty while there is none. (Its replica set may be much older: going back takes up the one of
// then.)
std::string runs_since(const Object& deployment, std::span<const Object> replica_sets, std::span<const Object> pods);

// A merge patch (RFC 7396) that makes every pod start anew; `time` is RFC 3339.
json::Value restart_patch(std::string_view time);

}  // namespace deployctl::kube
