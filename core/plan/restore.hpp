// From a recorded release to the steps that make the cluster be it again: pure.
#pragma once

#include "core/kube/release.hpp"
#include "core/plan/plan.hpp"

#include <string>
#include <vector>

namespace deployctl::plan {

// The service an object belongs to, by its labels; empty when it says none.
std::string service_of(const kube::Object& object);

// Those that the release has objects of, by name.
std::vector<std::string> services_of(const kube::Release& release);

// Applies every object of the release, each service's workload after its configuration, storage and Service, and
// watches the workloads. A service begins when those it depended on are rolled out, as in a release; tasks are not run.
// Its Secrets are named in the plan and have to be there. `sided` are the services that have a second side in the
// cluster: where the release has none, its pods are rolled out beside those that are live, and then the address is
// switched to them for good.
Plan restore(const kube::Release& release, const kube::LedgerScope& scope, const std::vector<std::string>& sided = {});

// Leaves only these services in the release.
void keep_services(kube::Release& release, const std::vector<std::string>& services);

// Whether the two bring the same objects and Secrets, but for the commit and the tag that every release writes on its
// workloads: it does so on those in which nothing has changed, too.
bool bring_the_same(const kube::Release& one, const kube::Release& other);

// Adds to a record what the run leaves alone: the objects, images and Secrets that `live` has of services other than
// `touched`.
void carry_forward(kube::Release& record, const kube::Release& live, const std::vector<std::string>& touched);

// What the cluster is when services of a release that waited were taken back: these, and what comes after them and so
// was never begun, as `live` has them, and the rest as the release has it.
kube::Release what_stays(kube::Release release, const kube::Release& live, const std::vector<std::string>& taken_back);

}  // namespace deployctl::plan
