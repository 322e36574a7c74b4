// From what is wanted and what was seen to the steps of a release: pure.
#pragma once

#include "core/base/result.hpp"
#include "core/generate/inputs.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/generate/sides.hpp"
#include "core/kube/release.hpp"
#include "core/plan/expected.hpp"
#include "core/plan/make_way.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace deployctl::plan {

// Which part of source-to-replicas the user asked for.
struct Wish {
  std::vector<std::string> services;  // empty: all
  bool build = false;
  bool push = false;
  bool rollout = false;
  // A service's own build.sbom and build.provenance count as well.
  bool sbom = false;        // with a push: attach a list of what is in the image
  bool provenance = false;  // with a push: attach what a build of this machine's knows of where it comes from
};

// What was seen of the world before planning.
struct Observation {
  std::string tag;     // of the images this run builds
  std::string commit;  // full id; empty outside git
  generate::Inputs inputs;
  std::map<std::string, std::string> images;        // service -> pinned reference that exists already
  std::map<std::string, std::string> secret_names;  // service -> name of the Secret its values give
  generate::ApiVersions api;
  bool namespace_exists = true;
  std::map<std::string, kube::Object> deployments;  // of the chosen services, as they are, by name
  // Services whose replicas an autoscaler has (held_replicas).
  std::map<std::string, std::optional<long long>> held_replicas;
  // Services that have a green Deployment, whatever their strategy is now, and the side their address leads to.
  std::map<std::string, generate::Side> live_sides;
  // What the ledger has, newest first; empty where it was not looked at. What it has and the plan has not is pruned.
  std::vector<kube::ReleaseSummary> releases;
  // What the live release has of services that the run is not about, for a run about some; nothing: not looked at.
  std::optional<std::vector<kube::ObjectKey>> left_alone;
  MovedPorts moved_ports;                              // from Services that are pruned; as far as the server was asked
  std::set<kube::ObjectKey> not_pruned;                // that would be, but are gone or not ours; as far as looked at
  std::map<kube::ObjectKey, ExpectedChange> expected;  // only where a dry run was made
  // Services with a canary under way -> what the live release has of them: what they are without it. As far as looked
  // at.
  std::map<std::string, std::vector<kube::Object>> without_canary;
};

// What to apply as spec.replicas of a Deployment that an autoscaler scales: nothing, so that it is the autoscaler's
// alone; but as long as we manage the field, what there is, because leaving out a field nobody else manages resets it
// to 1.
std::optional<long long> held_replicas(const kube::Object& deployment);

// The services the wish is about, in the order of the project manifest; invalid_input with a suggestion for a name that
// is not there.
base::Result<std::vector<const project::Service*>> chosen_services(const project::Target& target, const Wish& wish);

std::vector<std::string> names_of(const std::vector<const project::Service*>& services);

// The objects of the chosen services with placeholders for images that are not known yet, and the commit written on the
// Deployments; the Namespace is not among them.
base::Result<std::vector<kube::Object>> desired_objects(const project::Target& target, const project::Service& service,
                                                        const Observation& seen);

// What the objects that the plan makes are identified by, its Secrets too.
std::vector<kube::ObjectKey> desired_keys(const Plan& plan);

// The Jobs of the service's tasks that run at that time, with a placeholder for an image that is not known yet.
base::Result<std::vector<RunTask>> desired_tasks(const project::Target& target, const project::Service& service,
                                                 project::Task::When when, const Observation& seen);

// Build and push steps for the services that have a source; then, for each service, apply steps for its configuration,
// its tasks before the rollout, apply steps for its other objects (the Namespace first, the workload after its
// storage), one that watches its rollout, and its tasks after it. Nothing of a service is touched before the services
// it depends on are rolled out, as far as they are part of this run; services that do not depend on each other do not
// wait for each other.
base::Result<Plan> release(const project::Target& target, const Observation& seen, const Wish& wish);

}  // namespace deployctl::plan
