// Which other repository of a registry has layers of an image that is pushed there: the one that its base lies in, as
// the image itself says ("org.opencontainers.image.base.name", an annotation or a label). Only a hint: a mount that
// does not come off is an upload.
#pragma once

#include "core/oci/reference.hpp"
#include "core/registry/client.hpp"

#include <string>

namespace deployctl::registry {

// Empty when the image does not say, and when its base is in the target itself or in another registry.
std::string mount_source(const oci::StoredImage& image, const oci::Reference& target, const Ports& ports);

}  // namespace deployctl::registry
