// Writes an image to this machine: as an OCI layout, or as an archive that `docker load`, podman and skopeo read.
#pragma once

#include "core/images/image_set.hpp"

#include <optional>
#include <stop_token>

namespace deployctl::images {

struct Exported {
  oci::Descriptor root;     // what the name in the layout or archive stands for
  int blobs = 0;            // written; those a layout had already are not
  std::uint64_t bytes = 0;  // of them
};

// All images, or the one for the platform; a docker archive holds one. A layout that is there gets the image added
// (blobs it holds are checked, damaged ones written anew), an archive is replaced, and either shows nothing of an
// export that did not end; what a killed one has left goes. `name` is used when the target names none.
base::Result<Exported> export_image(Source& source, const Location& target, const std::string& name,
                                    const std::optional<oci::Platform>& platform, const OnProgress& on_progress = {},
                                    std::stop_token stop = {});

}  // namespace deployctl::images
