// What earlier releases have left in the cluster and the new one does not have: pure.
#pragma once

#include "core/kube/release.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::plan {

// Written by people on an object that deployctl shall leave where it is: "deployctl.dev/keep: 'true'".
inline constexpr std::string_view keep_annotation = "deployctl.dev/keep";

// How many releases stay in the ledger, with all it takes to go back to them.
inline constexpr std::size_t kept_release_count = 10;

// Objects of `releases` (newest first, all that the ledger has) that `desired` does not name. ConfigMaps and Secrets,
// which are named after their content, stay while a release that is kept and that one can go back to names them. Kinds
// that hold data or other objects (PersistentVolumeClaim, Namespace …) are never among them.
std::vector<kube::ObjectKey> to_prune(std::span<const kube::ReleaseSummary> releases,
                                      std::span<const kube::ObjectKey> desired);

// A ConfigMap or a Secret.
bool is_named_after_content(const kube::ObjectKey& key);

// Of `keys`, those that no pods may still live on: the ConfigMaps and Secrets that a Deployment with pods names stay,
// unless that goes itself.
std::vector<kube::ObjectKey> without_used(std::vector<kube::ObjectKey> keys, std::span<const kube::Object> deployments);

// Claims of `live`, the live release, that `desired` does not name: they stay with the data they hold.
std::vector<kube::ObjectKey> kept_claims(const kube::ReleaseSummary& live, std::span<const kube::ObjectKey> desired);

// Why a live object must stay although it is to be pruned; empty when it may go: it has our labels for this project and
// for no other environment, our field manager wrote it, nobody has asked to keep it and it is not going already.
std::string why_not_pruned(const kube::Object& live, const project::Target& target, std::string_view field_manager);

// Whether the live object is of a service that a run about `services` leaves alone; false for a run about all (empty).
bool is_of_another_service(const kube::Object& live, const std::vector<std::string>& services);

// The steps that prune: after everything else has succeeded. A run about some services leaves the objects of others
// alone, whatever the ledger says of them: what a failed release has left there may be what they live on.
std::vector<Step> prune_steps(const std::vector<kube::ObjectKey>& keys, const std::vector<std::string>& services = {});

}  // namespace deployctl::plan
