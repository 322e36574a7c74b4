// Getting a blob out of a repository (distribution-spec "Pulling blobs").
#pragma once

#include "core/registry/session.hpp"

#include <memory>

namespace deployctl::registry {

// The blob's bytes in order, checked for size and digest while they pass: an error can come after pieces have been
// given out. A broken transfer goes on where it stopped when the registry can do that (RFC 9110 section 14).
base::Status fetch_blob(Session& session, const oci::Descriptor& blob, const oci::PieceSink& sink,
                        std::stop_token stop);

// The same as something to send elsewhere; it is fetched while it is read, with bounded memory, and again from its
// start after a rewind. The session must outlive it.
std::shared_ptr<http::Body> remote_body(Session& session, const oci::Descriptor& blob, std::stop_token stop);

}  // namespace deployctl::registry
