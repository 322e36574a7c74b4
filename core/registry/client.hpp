// A client of OCI registries (distribution-spec): asks what a reference points at, fetches, pushes, copies and deletes.
//
// Plain http is spoken to loopback hosts and to those the user named insecure, never to others. Credentials go only to
// the registry they belong to and to the token service it names.
#pragma once

#include "core/base/result.hpp"
#include "core/http/retry.hpp"
#include "core/http/transport.hpp"
#include "core/io/clock.hpp"
#include "core/oci/gzip.hpp"
#include "core/oci/image.hpp"
#include "core/oci/reference.hpp"
#include "core/registry/credentials.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::registry {

struct Ports {
  http::Transport& transport;  // plain: the client does its own retries
  io::Clock& clock;
  CredentialStore& credentials;
  // A file's bytes as a body: platform::open_file_body.
  std::function<base::Result<std::shared_ptr<http::Body>>(const std::string& path)> open_file;
};

struct ClientOptions {
  std::vector<std::string>
      insecure_registries;  // "host:port", or "host" for its usual ports: plain http, or https without verification
  // How TLS is spoken to a registry; no function, or null from it: as the system's authorities decide.
  std::function<base::Result<std::shared_ptr<const http::TlsSettings>>(const std::string& registry)> tls;
  http::RetryPolicy retry;
  http::Timeouts timeouts;
  std::function<void(const std::string&)> on_notice;  // remarks for people: warnings of a server, waits; any thread
};

// How far a push is. Called from any thread, one call at a time.
struct Progress {
  std::string what;        // "layer 3f4a8b21c0de (2 of 5)", "manifest"
  std::uint64_t done = 0;  // bytes of the whole push that are in the registry or on their way
  std::uint64_t total = 0;
};

struct PushOptions {
  int parallel = 32;  // blobs at once
  std::function<void(const Progress&)> on_progress;
  std::stop_token stop;
};

struct PushResult {
  enum class Outcome { pushed, unchanged };
  Outcome outcome = Outcome::pushed;
  oci::Digest digest;  // of the manifest; what to deploy
  int uploaded_blobs = 0;
  std::uint64_t uploaded_bytes = 0;
};

// An image manifest or index as a registry holds it.
struct RemoteDocument {
  std::string bytes;
  std::string media_type;
  oci::Digest digest;  // computed here, over the bytes
};

struct Attached {
  oci::Digest digest;
  bool by_fallback_tag = false;  // the registry has no referrers API: an index under a tag stands for it
};

struct CopyOptions {
  std::optional<oci::Platform> platform;  // only this image of an index; nothing: everything
  bool with_referrers = false;            // SBOMs, signatures and the like as well
  int parallel = 8;                       // blobs at once
  std::function<void(const Progress&)> on_progress;
  std::stop_token stop;
};

struct CopyResult {
  PushResult::Outcome outcome = PushResult::Outcome::pushed;
  oci::Digest digest;  // what the target points at
  int manifests = 0;   // put
  int uploaded_blobs = 0;
  int mounted_blobs = 0;  // moved within the registry, without their bytes going anywhere
  std::uint64_t uploaded_bytes = 0;
};

class Client {
 public:
  Client(Ports ports, ClientOptions options = {});
  ~Client();

  // Makes `target` (a tag) point at the image: uploads what the registry does not have, then the manifest, then the
  // tag. The tag already pointing at it is `unchanged`, after one request.
  base::Result<PushResult> push(const oci::StoredImage& image, const oci::Reference& target,
                                const PushOptions& options = {});
  // Several platforms: every image by digest, then the index by digest, then the tag.
  base::Result<PushResult> push(const oci::StoredIndex& index, const oci::Reference& target,
                                const PushOptions& options = {});
  // Whether push() would find `unchanged`; no blob is needed for the question.
  base::Result<bool> points_at(const oci::Reference& target, const oci::Digest& digest, std::stop_token stop = {});

  // The digest of what a reference points at, computed over the manifest's bytes; not_found when there is nothing.
  base::Result<oci::Digest> resolve(const oci::Reference& reference, std::stop_token stop = {});
  base::Result<bool> exists(const oci::Reference& reference, std::stop_token stop = {});
  base::Result<RemoteDocument> manifest(const oci::Reference& reference, std::stop_token stop = {});
  // A blob's bytes, in order as they come, checked for size and digest while they pass: an error can come after pieces
  // have been given out, and the receiver throws away what it has. A broken transfer is resumed where it can be. An
  // error of the sink's ends it.
  base::Status fetch_blob(const oci::Reference& repository, const oci::Descriptor& blob, const oci::PieceSink& sink,
                          std::stop_token stop = {});
  // The tags of the reference's repository; not_found when there is no such repository.
  base::Result<std::vector<std::string>> tags(const oci::Reference& repository, std::stop_token stop = {});

  // Pushes a manifest that has a subject, by its digest, and makes sure that it is found from the subject.
  base::Result<Attached> attach(const oci::StoredImage& artifact, const oci::Reference& repository,
                                const PushOptions& options = {});
  // What refers to `subject`; only manifests of an artifact type when one is given.
  base::Result<std::vector<oci::Descriptor>> referrers(const oci::Reference& repository, const oci::Digest& subject,
                                                       std::string_view artifact_type = {}, std::stop_token stop = {});

  // Makes `to` (a tag) point at what `from` points at, byte for byte: manifests and blobs that are not there are
  // mounted within a registry and streamed otherwise, nothing touches the disk.
  base::Result<CopyResult> copy(const oci::Reference& from, const oci::Reference& to, const CopyOptions& options = {});
  // Deletes a tag, or a manifest with all its tags: the digest when the reference has one. refused when the registry
  // does not allow it.
  base::Status remove(const oci::Reference& reference, std::stop_token stop = {});

  // Whether the registry answers and lets us in: for `doctor`. `repository` may be empty.
  base::Status ping(const std::string& registry, std::stop_token stop = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace deployctl::registry
