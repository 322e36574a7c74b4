// Which Secret of a service its pods read, where its values are not at hand to name it by.
#pragma once

#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::execute {

// The name of the Secret that the Deployment takes the service's `secrets` from; empty when it takes none.
std::string used_secret(const project::Service& service, const kube::Object& deployment);

}  // namespace deployctl::execute
