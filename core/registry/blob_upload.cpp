// An upload session is opened with POST and closed with one PUT that carries the whole blob. When the PUT fails
// half-way the session is taken for lost (registries differ in whether it can be resumed) and the blob begins again.
#include "core/registry/blob_upload.hpp"

#include "core/base/text.hpp"

#include <array>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

// One try ends well, or badly for good (an Error), or in a way that beginning again may mend.
struct Interruption {
  std::string reason;
  Error error;
};
using Try = std::variant<Uploaded, Error, Interruption>;

bool is_accepted_upload(int status) {
  return status == 201 || status == 202 || status == 204;
}

// The registry is not well. One that wants us slower has been waited for already, as far as we are willing to.
bool may_pass(const http::Response& response) {
  return http::outcome_of(response) == http::Outcome::transient;
}

bool has_lost_session(const http::Response& response) {
  return response.status == 404 || response.status == 416 || has_error_code(response, "BLOB_UPLOAD_UNKNOWN") ||
         has_error_code(response, "BLOB_UPLOAD_INVALID");
}

Try failed_answer(const Session& session, const http::Response& response, const BlobUpload& upload,
                  bool is_worth_another_try) {
  auto error = session.refused(response, fmt::format("upload {} to", upload.name));
  if (is_worth_another_try) {
    return Interruption{.reason = fmt::format("{}: status {}", upload.name, response.status),
                        .error = std::move(error)};
  }
  return error;
}

Try failed_exchange(const Error& error, const BlobUpload& upload) {
  const auto placed = error.within("uploading {}", upload.name);
  if (error.code == base::ErrorCode::unreachable && !error.is_lasting) {
    return Interruption{.reason = fmt::format("{}: {}", upload.name, error.message), .error = placed};
  }
  return placed;
}

Result<oci::Digest> digest_of(http::Body& body) {
  if (const auto rewound = body.rewind(); !rewound) {
    return rewound.error();
  }
  oci::Hasher hasher;
  std::string buffer(256u << 10u, '\0');
  while (true) {
    const auto count = body.read(buffer.data(), buffer.size());
    if (!count) {
      return count.error();
    }
    if (*count == 0) {
      return hasher.digest();
    }
    hasher.add(std::string_view(buffer).substr(0, *count));
  }
}

Error changed_on_disk(const BlobUpload& upload, std::string_view how) {
  return Error::failed("{} has changed on disk: {} {}", upload.name, upload.file, how)
      .with_hint("remove that file and try again");
}

// The registry computed another digest: either our file is not what it was, or bytes changed on their way.
Try wrong_digest(http::Body& body, const BlobUpload& upload) {
  const auto now = digest_of(body);
  if (!now) {
    return now.error();
  }
  if (*now != upload.blob.digest) {
    return changed_on_disk(upload, fmt::format("no longer holds {}", upload.blob.digest.text()));
  }
  return Interruption{.reason = fmt::format("{} arrived damaged", upload.name),
                      .error = Error::failed("{} arrived damaged at the registry", upload.name)};
}

Result<std::shared_ptr<http::Body>> open(const BlobUpload& upload, std::stop_token stop) {
  auto body = upload.open(std::move(stop));
  if (!body) {
    return body.error().within("opening {}", upload.name);
  }
  if ((*body)->size() != upload.blob.size) {
    return changed_on_disk(upload, fmt::format("is {} bytes long instead of {}", (*body)->size(), upload.blob.size));
  }
  return body;
}

// Some registries report the digest they stored under another algorithm; what we would refer to is then not there.
Status check_stored(const Session& session, const http::Response& response, const BlobUpload& upload) {
  const auto stored = response.headers.get("Docker-Content-Digest");
  if (stored && *stored != upload.blob.digest.text()) {
    return Error::failed("{} stored {} as {} instead of {}", session.registry(), upload.name,
                         base::printable(stored->substr(0, 200)), upload.blob.digest.text());
  }
  return {};
}

Try put(Session& session, const BlobUpload& upload, const base::Url& location, const BlobProgress& on_sent,
        std::stop_token stop) {
  const auto body = open(upload, stop);
  if (!body) {
    return body.error();
  }
  const auto answer = session.send({.method = "PUT",
                                    .url = location.with_query("digest", upload.blob.digest.text()),
                                    .headers = {{"Content-Type", "application/octet-stream"}},
                                    .body = *body,
                                    .on_upload = on_sent,
                                    .sink = {},
                                    .repeat = Repeat::no},
                                   stop);
  if (!answer) {
    return failed_exchange(answer.error(), upload);
  }
  if (has_error_code(answer->response, "DIGEST_INVALID")) {
    return wrong_digest(**body, upload);
  }
  if (!is_accepted_upload(answer->response.status)) {
    return failed_answer(session, answer->response, upload,
                         may_pass(answer->response) || has_lost_session(answer->response));
  }
  const auto stored = check_stored(session, answer->response, upload);
  return stored ? Try(Uploaded::yes) : Try(stored.error());
}

// Opens an upload session, or has the blob mounted from another repository: the answer to both is 202 with a session
// when the registry does not have it there, or does not mount at all.
Result<Answer> open_session(Session& session, const BlobUpload& upload, bool try_mount, std::stop_token stop) {
  auto url = session.url("blobs/uploads/");
  if (try_mount) {
    url = url.with_query("mount", upload.blob.digest.text()).with_query("from", upload.mount_from);
  }
  return session.send({.method = "POST", .url = url, .repeat = Repeat::no}, stop);
}

// A mount that fails, in whatever way, must not fail the push.
Result<Answer> mount_or_open_session(Session& session, const BlobUpload& upload, std::stop_token stop) {
  if (!upload.mount_from.empty()) {
    auto mounted = open_session(session, upload, true, stop);
    if (mounted && (mounted->response.status == 201 || mounted->response.status == 202)) {
      return mounted;
    }
  }
  return open_session(session, upload, false, stop);
}

Try post_and_put(Session& session, const BlobUpload& upload, const BlobProgress& on_sent, std::stop_token stop) {
  const auto opened = mount_or_open_session(session, upload, stop);
  if (!opened) {
    return failed_exchange(opened.error(), upload);
  }
  if (opened->response.status == 201) {
    return upload.mount_from.empty() ? Uploaded::was_there : Uploaded::mounted;
  }
  if (opened->response.status != 202) {
    return failed_answer(session, opened->response, upload, may_pass(opened->response));
  }
  const auto location = session.location(*opened);
  return location ? put(session, upload, *location, on_sent, stop) : failed_exchange(location.error(), upload);
}

Try one_try(Session& session, const BlobUpload& upload, bool ask_first, const BlobProgress& on_sent,
            std::stop_token stop) {
  if (ask_first) {
    const auto is_there = has_blob(session, upload.blob, stop);
    if (!is_there) {
      return is_there.error();
    }
    if (*is_there) {
      return Uploaded::was_there;
    }
  }
  return post_and_put(session, upload, on_sent, stop);
}

}  // namespace

Result<bool> has_blob(Session& session, const oci::Descriptor& blob, std::stop_token stop) {
  const auto answer = session.send({.method = "HEAD", .url = session.url("blobs/" + blob.digest.text())}, stop);
  if (!answer) {
    return answer.error().within("asking for blob {}", blob.digest.brief());
  }
  const auto status = answer->response.status;
  if (status == 404 || status == 403 || answer->response.is_success()) {
    return answer->response.is_success();
  }
  return session.refused(answer->response, fmt::format("ask for blob {} in", blob.digest.brief()));
}

Result<Uploaded> upload(Session& session, const BlobUpload& upload, const BlobProgress& on_sent, std::stop_token stop) {
  for (int attempt = 1;; ++attempt) {
    auto result = one_try(session, upload, upload.ask_first || attempt > 1, on_sent, stop);
    if (const auto* done = std::get_if<Uploaded>(&result)) {
      return *done;
    }
    if (const auto* error = std::get_if<Error>(&result)) {
      return *error;
    }
    const auto& interruption = std::get<Interruption>(result);
    if (!session.wait_before_retry(attempt, interruption.reason, stop)) {
      return stop.stop_requested() ? Error::interrupted() : interruption.error;
    }
  }
}

}  // namespace deployctl::registry
