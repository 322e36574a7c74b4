#include "core/registry/document.hpp"

#include "core/base/text.hpp"

#include <array>
#include <optional>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr int manifest_attempts = 4;
constexpr int tag_attempts = 2;

// What it is served as; what it is by itself when the answer does not say, as it has to be put as something.
std::string media_type_of(const http::Response& response) {
  const auto type = response.headers.get("Content-Type").value_or("");
  const auto served_as = base::trim(base::split_once(type, ';').first);
  const auto document =
      served_as.empty() ? oci::parse_document(response.body) : Result<oci::Document>(Error::failed("not needed"));
  return document ? std::visit([](const auto& one) { return one.media_type; }, *document) : std::string(served_as);
}

Result<http::Response> send(Session& session, const RemoteDocument& document, const std::string& identifier,
                            std::stop_token stop) {
  if (const auto fits = check_size(document); !fits) {
    return fits.error();
  }
  auto answer = session.send({.method = "PUT",
                              .url = session.url("manifests/" + identifier),
                              .headers = {{"Content-Type", document.media_type}},
                              .body = http::body_of(document.bytes)},
                             stop);
  return answer ? Result<http::Response>(std::move(answer->response))
                : answer.error().within("sending the image manifest as {}", identifier);
}

Error refused(const Session& session, const http::Response& response, const std::string& identifier) {
  return session.refused(response, fmt::format("push the image manifest as {} to", identifier));
}

// What the registry says that it stored, where that is something else than the document.
std::optional<std::string> other_digest(const http::Response& response, const RemoteDocument& document) {
  auto digest = response.headers.get("Docker-Content-Digest");
  return digest && *digest != document.digest.text() ? std::move(digest) : std::nullopt;
}

Error stored_otherwise(const Session& session, const RemoteDocument& document, const std::string& digest) {
  return Error::failed("{} stored the image manifest as {} instead of {}", session.registry(),
                       base::printable(digest.substr(0, 200)), document.digest.text());
}

Result<http::Headers> stored(const Session& session, const RemoteDocument& document, const std::string& identifier,
                             http::Response response) {
  if (!response.is_success()) {
    return refused(session, response, identifier);
  }
  const auto other = other_digest(response, document);
  return other ? stored_otherwise(session, document, *other) : Result<http::Headers>(std::move(response.headers));
}

bool lacks_blob(const http::Response& response) {
  return has_error_code(response, "MANIFEST_BLOB_UNKNOWN") || has_error_code(response, "BLOB_UNKNOWN");
}

// A blob may not be there after all: taken away by garbage collection, or not yet seen by every part of the registry.
Result<http::Response> send_mending(Session& session, const RemoteDocument& document, const std::string& identifier,
                                    const std::function<Status()>& mend, std::stop_token stop) {
  for (int attempt = 1;; ++attempt) {
    auto response = send(session, document, identifier, stop);
    if (!response || !lacks_blob(*response) || attempt >= manifest_attempts ||
        !session.wait_before_retry(attempt, "the registry misses a blob of the image", stop)) {
      return response;
    }
    if (const auto mended = mend(); !mended) {
      return mended.error();
    }
  }
}

// Only 404 says that there is nothing.
Error not_found_out(const Session& session, const http::Response& response, const std::string& identifier) {
  return session.refused(response, fmt::format("{} {} in", response.status == 404 ? "find" : "look for", identifier));
}

bool leads_to(Session& session, const std::string& tag, const oci::Digest& digest, std::stop_token stop) {
  const auto document = fetch_document(session, tag, stop);
  return document && document->digest == digest;
}

// Many registries give a wrong digest in their answer, so what the tag shows decides.
Result<http::Headers> store_under_tag(Session& session, const RemoteDocument& document, const std::string& tag,
                                      const std::function<Status()>& mend, std::stop_token stop) {
  for (int attempt = 1;; ++attempt) {
    auto response = send_mending(session, document, tag, mend, stop);
    if (!response) {
      return response.error();
    }
    if (!response->is_success()) {
      return refused(session, *response, tag);
    }
    const auto other = other_digest(*response, document);
    if (!other || leads_to(session, tag, document.digest, stop)) {
      return std::move(response->headers);
    }
    if (attempt >= tag_attempts ||
        !session.wait_before_retry(attempt, "the image manifest was changed on its way", stop)) {
      return stored_otherwise(session, document, *other)
          .with_hint("it was changed on its way and the tag {} names what arrived: push again", tag);
    }
  }
}

Status check_there(Session& session, const oci::Digest& digest, std::stop_token stop) {
  for (int attempt = 1;; ++attempt) {
    const auto is_there = has_document(session, digest.text(), stop);
    if (!is_there) {
      return is_there.error();
    }
    if (*is_there) {
      return {};
    }
    if (attempt >= manifest_attempts ||
        !session.wait_before_retry(attempt, "the pushed image manifest does not show yet", stop)) {
      return Error::failed("{} took the image manifest {} but does not give it out", session.registry(), digest.text());
    }
  }
}

}  // namespace

Status check_size(const RemoteDocument& document) {
  return document.bytes.size() <= oci::longest_manifest
             ? Status()
             : Status(Error::failed("the image manifest has {} bytes, and registries take {} at most",
                                    document.bytes.size(), base::human_bytes(oci::longest_manifest)));
}

std::string accepted_types() {
  constexpr std::array types{oci::media_type::image_manifest, oci::media_type::image_index,
                             oci::media_type::docker_manifest, oci::media_type::docker_manifest_list};
  std::string text;
  for (const auto type : types) {
    text += (text.empty() ? "" : ", ") + std::string(type);
  }
  return text;
}

Result<http::Response> get_document(Session& session, const std::string& identifier, std::stop_token stop,
                                    std::string_view also_accepted) {
  auto accepted = accepted_types();
  if (!also_accepted.empty() && accepted.find(also_accepted) == std::string::npos) {
    accepted.append(", ").append(also_accepted);
  }
  auto answer = session.send({.method = "GET",
                              .url = session.url("manifests/" + identifier),
                              .headers = {{"Accept", accepted}},
                              .max_body_bytes = oci::longest_manifest},
                             stop);
  return answer ? Result<http::Response>(std::move(answer->response)) : answer.error();
}

Result<RemoteDocument> document_of(const Session& session, http::Response response, const std::string& identifier) {
  auto media_type = media_type_of(response);
  RemoteDocument document{.bytes = std::move(response.body), .media_type = std::move(media_type), .digest = {}};
  document.digest = oci::Digest::of(document.bytes);
  const bool is_asked_by_digest = identifier.starts_with("sha256:");
  if (is_asked_by_digest && document.digest.text() != identifier) {
    return Error::failed("{} answered with other bytes than those of {}", session.registry(), identifier);
  }
  return document;
}

Result<RemoteDocument> fetch_document(Session& session, const std::string& identifier, std::stop_token stop,
                                      std::string_view also_accepted) {
  auto response = get_document(session, identifier, stop, also_accepted);
  if (!response) {
    return response.error();
  }
  if (!response->is_success()) {
    return not_found_out(session, *response, identifier);
  }
  return document_of(session, std::move(*response), identifier);
}

Result<bool> has_document(Session& session, const std::string& identifier, std::stop_token stop) {
  const auto answer = session.send(
      {.method = "HEAD", .url = session.url("manifests/" + identifier), .headers = {{"Accept", accepted_types()}}},
      stop);
  if (!answer) {
    return answer.error();
  }
  if (answer->response.is_success() || answer->response.status == 404) {
    return answer->response.is_success();
  }
  return not_found_out(session, answer->response, identifier);
}

Result<http::Headers> put_document(Session& session, const RemoteDocument& document, const std::string& identifier,
                                   std::stop_token stop) {
  auto response = send(session, document, identifier, stop);
  return response ? stored(session, document, identifier, std::move(*response)) : response.error();
}

Result<http::Headers> put_by_digest(Session& session, const RemoteDocument& document,
                                    const std::function<Status()>& mend, std::stop_token stop) {
  const auto identifier = document.digest.text();
  auto response = send_mending(session, document, identifier, mend, stop);
  return response ? stored(session, document, identifier, std::move(*response)) : response.error();
}

Result<http::Headers> put_under_tag(Session& session, const RemoteDocument& document, const std::string& tag,
                                    const std::function<Status()>& mend, std::stop_token stop) {
  auto stored = store_under_tag(session, document, tag, mend, stop);
  if (!stored) {
    return stored;
  }
  const auto checked = check_there(session, document.digest, stop);
  return checked ? std::move(stored) : checked.error();
}

}  // namespace deployctl::registry
