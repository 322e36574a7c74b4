// Which exact image a service with a ready image gets: the digest that runs already, as long as the project manifest
// names the same tag; otherwise the registry is asked (docs/decisions/0006-pin-ready-images.md).
#pragma once

#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// A ready image that is pinned by us: its digest is not in the project manifest, and `pin` does not leave it to the
// cluster.
bool is_pinned_at_rollout(const project::Service& service);

// The image of the service's container in its Deployment, when it is `image` with a digest.
std::optional<std::string> running_pin(const std::string& service, const std::string& image,
                                       const kube::Object& deployment);

// service -> pinned reference, for those of the services that run as their project manifest says.
std::map<std::string, std::string> running_pins(const std::vector<const project::Service*>& services,
                                                const std::map<std::string, kube::Object>& deployments);

}  // namespace deployctl::execute
