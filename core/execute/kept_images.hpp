// The images of services in which nothing has changed: what a rollout is to bring is, but for its labels of commit and
// time, what runs. Then the one that runs is kept, and no pod is replaced (docs/decisions/0017-the-same-image.md).
#pragma once

#include "core/execute/ports.hpp"
#include "core/registry/client.hpp"

#include <map>
#include <optional>
#include <stop_token>
#include <string>

namespace deployctl::execute {

// What a service is to get.
struct NewImage {
  std::string reference;                                  // pinned
  std::optional<registry::RemoteDocument> document = {};  // what it points at, where that has been read
};

using NewImages = std::map<std::string, NewImage>;         // by service
using ServiceImages = std::map<std::string, std::string>;  // service -> reference, as it stands in its Deployment

// Those of `live` that are to be kept: pinned in the repository of the new image, and the same image. One manifest is
// read of each, two where that of the new one is not known; where the layers are the same, the configurations as well.
// What cannot be read counts as another image.
ServiceImages images_to_keep(const NewImages& images, const ServiceImages& live, registry::Client& registry,
                             std::stop_token stop);

// As a note, in one line for all of them; nothing for none.
void tell_kept_images(const ServiceImages& kept, const Ports& ports);

}  // namespace deployctl::execute
