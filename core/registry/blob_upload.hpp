// Getting one blob into a repository (distribution-spec "Pushing blobs", POST then PUT).
#pragma once

#include "core/oci/image.hpp"
#include "core/registry/session.hpp"

#include <functional>
#include <string>

namespace deployctl::registry {

struct BlobUpload {
  oci::Descriptor blob;
  std::string path;                                 // of the file with its bytes
  std::string name;                                 // for people: "layer 3f4a8b21c0de"
  bool ask_first = true;                            // whether the registry may have it already
  std::function<void(std::uint64_t sent)> on_sent;  // of this blob; may go back to 0 when it begins again
};

enum class Uploaded { yes, was_there };

// Until the registry has the blob; begins again with a new upload session when one is lost.
base::Result<Uploaded> upload(Session& session, const BlobUpload& upload, std::stop_token stop);

// Whether the registry has the blob. 403 counts as "no": some registries answer it where they mean 404.
base::Result<bool> has_blob(Session& session, const oci::Descriptor& blob, std::stop_token stop);

}  // namespace deployctl::registry
