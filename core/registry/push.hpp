// An image's way into a repository: blobs, then the images of an index by their digests, then the image or index to its
// tag.
#pragma once

#include "core/registry/session.hpp"

#include <string>

namespace deployctl::registry {

base::Result<PushResult> push(Session& session, const oci::StoredImage& image, const std::string& tag,
                              const PushOptions& options);
base::Result<PushResult> push(Session& session, const oci::StoredIndex& index, const std::string& tag,
                              const PushOptions& options);

// Without a tag; the header fields of the answer to the image manifest.
base::Result<http::Headers> push_by_digest(Session& session, const oci::StoredImage& image, const PushOptions& options);

}  // namespace deployctl::registry
