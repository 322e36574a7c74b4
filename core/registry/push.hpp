// One image's way into a repository: blobs, then the image manifest by its digest, then the tag.
#pragma once

#include "core/registry/session.hpp"

#include <optional>
#include <string>

namespace deployctl::registry {

base::Result<PushResult> push(Session& session, const oci::StoredImage& image, const std::string& tag,
                              const PushOptions& options);

// What a tag or digest of the session's repository points at; not_found when there is nothing.
base::Result<RemoteDocument> fetch_document(Session& session, const std::string& identifier, std::stop_token stop);

// The media types of every kind of image manifest: without them some registries say "not found".
std::string accepted_types();

}  // namespace deployctl::registry
