// An upload session is opened with POST and closed with one PUT that carries the whole blob. When the PUT breaks
// half-way the registry is asked how much it has kept: what it has need not go again (distribution 3 keeps it,
// distribution 2 loses the session). A registry or proxy that refuses the size gets the blob in chunks. Offsets are our
// own: some registries tell wrong ones, or "0-0" for nothing.
#include "core/registry/blob_upload.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::uint64_t smallest_chunk = 4u << 20u;  // and the largest that GHCR takes
constexpr std::uint64_t progress_that_counts = 1u << 20u;

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

bool may_go_on(const http::Response& response) {
  return may_pass(response) || has_lost_session(response);
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

// The end of "0-499", which some write "bytes=0-499"; nothing for "0-0", which distribution says of an empty session.
std::uint64_t kept_bytes(const http::Response& response) {
  const auto range = response.headers.get("Range").value_or("");
  const auto last = base::parse_integer(base::trim(std::string_view(range).substr(range.find('-') + 1)));
  return last && *last > 0 ? static_cast<std::uint64_t>(*last) + 1 : 0;
}

// One blob's way, through as many upload sessions as it takes.
class Upload {
 public:
  Upload(Session& session, const BlobUpload& upload, const BlobProgress& on_sent, std::stop_token stop)
      : session_(session), upload_(upload), on_sent_(on_sent), stop_(std::move(stop)) {}

  Result<Uploaded> run();

 private:
  Try one_try(bool ask_first);
  Try begin();
  Try send_all(base::Url location);
  Try send_last(const base::Url& location, std::shared_ptr<http::Body> body);
  // After a chunk: nothing when it is kept and the next can go to location_.
  std::optional<Try> send_chunk(std::shared_ptr<http::Body> body);
  Result<Answer> send(std::string_view method, const base::Url& url, std::shared_ptr<http::Body> body,
                      std::uint64_t length);
  bool resume();
  // The session that may still be there is not gone on with.
  void abandon();
  // What run() ends with. A registry that is away is not told of it.
  Error ended(const Error& error);
  [[nodiscard]] bool is_too_large(const http::Response& response) const;

  Session& session_;
  const BlobUpload& upload_;
  const BlobProgress& on_sent_;
  std::stop_token stop_;
  std::optional<base::Url> location_;              // of an upload session that may still be there
  std::uint64_t offset_ = 0;                       // kept by it
  bool is_again_ = false;                          // what broke may have been a kept connection
  std::uint64_t chunk_ = session_.habits().chunk;  // bytes in one request; 0: all that are left
};

Result<Answer> Upload::send(std::string_view method, const base::Url& url, std::shared_ptr<http::Body> body,
                            std::uint64_t length) {
  Call call{.method = std::string(method),
            .url = url,
            .headers = {{"Content-Type", "application/octet-stream"}},
            .repeat = Repeat::no,
            .on_new_connection = is_again_};
  const bool is_whole = length == upload_.blob.size;
  if (!is_whole && length > 0) {
    call.headers.set("Content-Range", fmt::format("{}-{}", offset_, offset_ + length - 1));
  }
  call.body = is_whole ? std::move(body) : http::part_of(std::move(body), offset_, length);
  call.on_upload = [this](std::uint64_t sent) { on_sent_(offset_ + sent); };
  return session_.send(std::move(call), stop_);
}

// What nginx, or a registry that wants chunks, says of one long request.
bool Upload::is_too_large(const http::Response& response) const {
  return chunk_ == 0 && offset_ == 0 && upload_.blob.size > smallest_chunk &&
         (response.status == 413 || response.status == 416);
}

Try Upload::send_last(const base::Url& location, std::shared_ptr<http::Body> body) {
  const auto answer =
      send("PUT", location.with_query("digest", upload_.blob.digest.text()), body, upload_.blob.size - offset_);
  if (!answer) {
    return failed_exchange(answer.error(), upload_);
  }
  if (has_error_code(answer->response, "DIGEST_INVALID")) {
    abandon();
    return wrong_digest(*body, upload_);
  }
  if (is_too_large(answer->response)) {
    session_.habits().chunk = chunk_ = smallest_chunk;
    abandon();
    return begin();
  }
  if (!is_accepted_upload(answer->response.status)) {
    return failed_answer(session_, answer->response, upload_, may_go_on(answer->response));
  }
  const auto stored = check_stored(session_, answer->response, upload_);
  return stored ? Try(Uploaded::yes) : Try(stored.error());
}

std::optional<Try> Upload::send_chunk(std::shared_ptr<http::Body> body) {
  const auto answer = send("PATCH", *location_, std::move(body), chunk_);
  if (!answer) {
    return failed_exchange(answer.error(), upload_);
  }
  if (!is_accepted_upload(answer->response.status)) {
    return failed_answer(session_, answer->response, upload_, may_go_on(answer->response));
  }
  const auto next = session_.location(*answer);
  if (!next) {
    return failed_exchange(next.error(), upload_);
  }
  location_ = *next;
  offset_ += chunk_;
  return std::nullopt;
}

// From offset_ on. The last chunk goes with the closing PUT: not every registry takes an empty one.
Try Upload::send_all(base::Url location) {
  location_ = std::move(location);
  const auto body = open(upload_, stop_);
  if (!body) {
    return body.error();
  }
  while (chunk_ > 0 && upload_.blob.size - offset_ > chunk_) {
    if (auto ended = send_chunk(*body)) {
      return *ended;
    }
  }
  return send_last(*location_, *body);
}

// Whether the session that broke is still there, and where it goes on.
bool Upload::resume() {
  if (!location_) {
    return false;
  }
  const auto answer = session_.send({.method = "GET", .url = *location_, .repeat = Repeat::no}, stop_);
  const bool is_there = answer && answer->response.status == 204;
  const auto kept = is_there ? kept_bytes(answer->response) : 0;
  const auto next = is_there ? session_.location(*answer) : Result<base::Url>(Error::failed("no session"));
  location_ = next ? std::optional(*next) : std::nullopt;
  if (!next || kept == 0 || kept >= upload_.blob.size) {
    abandon();
    return false;
  }
  offset_ = kept;
  return true;
}

void Upload::abandon() {
  if (location_) {
    session_.give_up(*location_);
    location_.reset();
  }
}

Error Upload::ended(const Error& error) {
  if (error.code != base::ErrorCode::unreachable) {
    abandon();
  }
  return error;
}

Try Upload::begin() {
  offset_ = 0;
  const auto opened = mount_or_open_session(session_, upload_, stop_);
  if (!opened) {
    return failed_exchange(opened.error(), upload_);
  }
  if (opened->response.status == 201) {
    return upload_.mount_from.empty() ? Uploaded::was_there : Uploaded::mounted;
  }
  if (opened->response.status != 202) {
    return failed_answer(session_, opened->response, upload_, may_pass(opened->response));
  }
  const auto wanted = base::parse_integer(opened->response.headers.get("OCI-Chunk-Min-Length").value_or(""));
  if (wanted && *wanted > 0) {
    chunk_ = std::max(smallest_chunk, static_cast<std::uint64_t>(*wanted));
  }
  auto location = session_.location(*opened);
  return location ? send_all(std::move(*location)) : failed_exchange(location.error(), upload_);
}

Try Upload::one_try(bool ask_first) {
  if (resume()) {
    return send_all(*location_);
  }
  if (ask_first) {
    const auto is_there = has_blob(session_, upload_.blob, stop_);
    if (!is_there) {
      return is_there.error();
    }
    if (*is_there) {
      return Uploaded::was_there;
    }
  }
  return begin();
}

// An upload that the registry keeps more and more of is not given up, however often it breaks.
Result<Uploaded> Upload::run() {
  std::uint64_t furthest = 0;
  for (int attempt = 1, tries = 1;; ++attempt, ++tries) {
    auto result = one_try(upload_.ask_first || tries > 1);
    if (const auto* done = std::get_if<Uploaded>(&result)) {
      return *done;
    }
    if (const auto* error = std::get_if<Error>(&result)) {
      return ended(*error);
    }
    is_again_ = true;
    if (offset_ >= furthest + progress_that_counts) {
      furthest = offset_;
      attempt = 1;
    }
    const auto& interruption = std::get<Interruption>(result);
    if (!session_.wait_before_retry(attempt, interruption.reason, stop_)) {
      return ended(stop_.stop_requested() ? Error::interrupted() : interruption.error);
    }
  }
}

}  // namespace

Result<bool> has_blob(Session& session, const oci::Descriptor& blob, std::stop_token stop, Repeat repeat) {
  const auto answer =
      session.send({.method = "HEAD", .url = session.url("blobs/" + blob.digest.text()), .repeat = repeat}, stop);
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
  return Upload(session, upload, on_sent, std::move(stop)).run();
}

}  // namespace deployctl::registry
