// What refers to an image: SBOMs, signatures, provenance (distribution-spec "Listing Referrers").
//
// A registry that has the referrers API finds them by itself. For the others, many, the client keeps an index of them
// under a tag made from the subject's digest ("Referrers Tag Schema").
#pragma once

#include "core/registry/session.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::registry {

// From the API and from the fallback tag, each once, in that order; only those of an artifact type when one is given.
base::Result<std::vector<oci::Descriptor>> list_referrers(Session& session, const oci::Digest& subject,
                                                          std::string_view artifact_type, std::stop_token stop);

// The manifest that a document says something about; nothing when it stands for itself.
std::optional<oci::Digest> subject_of(const RemoteDocument& document);

// The tag that stands for the API: "sha256-<hex>".
std::string fallback_tag(const oci::Digest& subject);

// Pushes a manifest that has a subject, and makes sure that it is found.
base::Result<Attached> attach(Session& session, const oci::StoredImage& artifact, const PushOptions& options);

// After the manifest `document`, which has a subject, was put and answered with these header fields: true when the
// fallback index had to be kept, and was.
base::Result<bool> keep_findable(Session& session, const RemoteDocument& document, const http::Headers& answer,
                                 std::stop_token stop);

// After the manifest `which` was deleted: takes it out of the fallback index of its subject, if it is there.
base::Status forget_referrer(Session& session, const oci::Digest& subject, const oci::Digest& which,
                             std::stop_token stop);

}  // namespace deployctl::registry
