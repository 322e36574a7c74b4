// Applying objects to the cluster and telling what changed.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/field_diff.hpp"
#include "core/kube/object.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::execute {

struct ApplyPlace {
  std::string step;
  std::string service;
  std::optional<std::string> known_version;  // of the live object, "" when there is none; nothing: it is asked for
  cluster::Force force = cluster::Force::no;
  std::vector<kube::FieldPath> taken;  // by force: fields of others that the object has not, which go
};

// Server-side apply, then an ObjectApplied event. A conflict with another field manager is an error that names field
// and owner.
base::Result<cluster::Applied> apply_object(cluster::Client& client, const kube::Object& object,
                                            const ApplyPlace& place, const Ports& ports);

// The object as it would be after such an apply, by dry runs: resource version "" when it is not there yet. An apply by
// force that the server refuses is tried as it is once the fields of kubectl are ours.
base::Result<cluster::Applied> try_apply(cluster::Client& client, const kube::Object& object, cluster::Force force,
                                         std::stop_token stop);

// Whether the server tries nothing out, because an admission webhook has side effects (API concepts, "Dry-run
// authorization"): that says nothing about the apply itself.
bool is_trial_refused(const base::Error& error);

}  // namespace deployctl::execute
