// The pod template of a service: container, probes, security, volumes, and how it stops.
#pragma once

#include "core/generate/configmaps.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/json/value.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::generate {

json::Value pod_template(const project::Target& target, const project::Service& service, const ConfigMaps& maps,
                         const KubernetesOptions& options);

// The PersistentVolumeClaim behind a volume: "<service>-<volume>".
std::string claim_name(const project::Service& service, const project::Volume& volume);

// The number of pods the service is meant to have at least.
int lowest_replicas(const project::Service& service);

}  // namespace deployctl::generate
