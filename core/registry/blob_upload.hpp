// Getting one blob into a repository (distribution-spec "Pushing blobs", POST then PUT).
#pragma once

#include "core/oci/image.hpp"
#include "core/registry/session.hpp"

#include <functional>
#include <memory>
#include <string>

namespace deployctl::registry {

struct BlobUpload {
  oci::Descriptor blob;
  std::function<base::Result<std::shared_ptr<http::Body>>(std::stop_token)> open;  // its bytes
  std::string name;                                                                // for people: "layer 3f4a8b21c0de"
  std::string file = {};        // where its bytes lie on disk, for people; empty when they come from elsewhere
  bool ask_first = true;        // whether the registry may have it already
  std::string mount_from = {};  // another repository of that registry that has it, or empty
};

enum class Uploaded { yes, mounted, was_there };

// How much of this blob is sent; goes back to 0 when it begins again.
using BlobProgress = std::function<void(std::uint64_t sent)>;

// Until the registry has the blob; begins again with a new upload session when one is lost.
base::Result<Uploaded> upload(Session& session, const BlobUpload& upload, const BlobProgress& on_sent,
                              std::stop_token stop);

// Whether the registry has the blob. 403 counts as "no": some registries answer it where they mean 404.
base::Result<bool> has_blob(Session& session, const oci::Descriptor& blob, std::stop_token stop,
                            Repeat repeat = Repeat::as_it_is);

}  // namespace deployctl::registry
