#include "core/registry/remove.hpp"

#include "core/registry/document.hpp"
#include "core/registry/referrers.hpp"

#include <algorithm>
#include <array>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Status;

bool is_digest(const std::string& identifier) {
  return identifier.find(':') != std::string::npos;
}

// By the letter 405; distribution says 400 and DIGEST_INVALID of a tag, others 400 and UNSUPPORTED.
bool is_not_allowed(const http::Response& response) {
  constexpr std::array codes{"UNSUPPORTED", "DIGEST_INVALID", "TAG_INVALID"};
  return response.status == 405 || response.status == 501 ||
         (response.status == 400 &&
          std::ranges::any_of(codes, [&](const char* code) { return has_error_code(response, code); }));
}

Error not_allowed(const Session& session, const std::string& identifier) {
  const auto what = is_digest(identifier) ? "manifests" : "a tag without its manifest";
  return Error::refused("{} does not delete {}", session.registry(), what)
      .with_hint("{}", is_digest(identifier)
                           ? "deleting is switched off in the registry's own configuration"
                           : "delete the digest the tag points at; every other tag of that digest goes with it");
}

Status remove_one(Session& session, const std::string& identifier, std::stop_token stop) {
  const auto answer = session.send({.method = "DELETE", .url = session.url("manifests/" + identifier)}, stop);
  if (!answer) {
    return answer.error();
  }
  if (answer->response.is_success()) {
    return {};
  }
  return is_not_allowed(answer->response) ? not_allowed(session, identifier)
                                          : session.refused(answer->response, fmt::format("delete {} in", identifier));
}

}  // namespace

Status remove(const RemovalSessions& sessions, const std::string& identifier, std::stop_token stop) {
  if (!is_digest(identifier)) {
    return remove_one(sessions.removing, identifier, stop);
  }
  const auto document = fetch_document(sessions.removing, identifier, stop);
  if (!document) {
    return document.error();
  }
  if (const auto removed = remove_one(sessions.removing, identifier, stop); !removed) {
    return removed;
  }
  const auto subject = subject_of(*document);
  return subject ? forget_referrer(sessions.writing, *subject, document->digest, stop) : Status();
}

}  // namespace deployctl::registry
