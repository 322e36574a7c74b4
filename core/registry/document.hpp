// Image manifests and indexes in a repository: fetched and put as exactly the bytes they are.
#pragma once

#include "core/registry/session.hpp"

#include <functional>
#include <string>

namespace deployctl::registry {

// The media types of every kind of image manifest: without them some registries say "not found".
std::string accepted_types();

// Any answer to GET …/manifests/<identifier>, a refusal too.
base::Result<http::Response> get_document(Session& session, const std::string& identifier, std::stop_token stop,
                                          std::string_view also_accepted = {});
// The document in a successful answer. failed when its bytes are not those of the digest it was asked by.
base::Result<RemoteDocument> document_of(const Session& session, http::Response response,
                                         const std::string& identifier);
// What a tag or digest of the session's repository points at; not_found when there is nothing. `also_accepted`: a media
// type that we know nothing of, when it is said to be of that.
base::Result<RemoteDocument> fetch_document(Session& session, const std::string& identifier, std::stop_token stop,
                                            std::string_view also_accepted = {});
// Whether there is something, asked without fetching it.
base::Result<bool> has_document(Session& session, const std::string& identifier, std::stop_token stop);

// failed when it is longer than registries take: better known before its blobs are sent.
base::Status check_size(const RemoteDocument& document);

// Puts the document under a tag or its digest, and returns the header fields of the answer. failed when the registry
// says that it stored something else.
base::Result<http::Headers> put_document(Session& session, const RemoteDocument& document,
                                         const std::string& identifier, std::stop_token stop);

// The same under its digest, which makes the registry check both the bytes and that it has everything they refer to.
// When it misses a blob, `mend` brings them again, a few times.
base::Result<http::Headers> put_by_digest(Session& session, const RemoteDocument& document,
                                          const std::function<base::Status()>& mend, std::stop_token stop);
// The same under a tag (docs/decisions/0015-straight-to-the-tag.md). The registry checks what the bytes refer to, but
// has nothing to check the bytes themselves by: when it says that it stored others and the tag shows them, they are
// sent once more. Then it has to give the document out by its digest; a registry of several parts gets some time for
// it.
base::Result<http::Headers> put_under_tag(Session& session, const RemoteDocument& document, const std::string& tag,
                                          const std::function<base::Status()>& mend, std::stop_token stop);

}  // namespace deployctl::registry
