// First the tree of documents is read at the source: an index, its images, what refers to them. Then all blobs go over
// in one transfer, each once, and then the documents, what is referred to before what refers to it. The image itself
// goes straight to its tag, as a push's does.
#include "core/registry/copy.hpp"

#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/registry/blob_transfer.hpp"
#include "core/registry/document.hpp"
#include "core/registry/pull.hpp"
#include "core/registry/referrers.hpp"
#include "core/registry/tags.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <set>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr int deepest = 3;            // indexes in indexes
constexpr int deepest_referrers = 5;  // a signature of an SBOM of an image is two
constexpr std::size_t most_documents = 1000;
constexpr std::size_t deepest_manifest = 32;  // values in values

// What cosign lays beside an image, under tags such as "sha256-<hex>.sig" (cosign's SIGNATURE_SPEC.md).
constexpr std::array cosign_endings{".sig", ".att", ".sbom"};

bool is_asked_for(const oci::Platform& asked, const std::optional<oci::Platform>& has) {
  return has && has->os == asked.os && has->architecture == asked.architecture &&
         (asked.variant.empty() || has->variant == asked.variant);
}

std::string to_text(const oci::Platform& platform) {
  return platform.os + "/" + platform.architecture + (platform.variant.empty() ? "" : "/" + platform.variant);
}

// Layers that may be had only from where their "urls" say; registries accept manifests without them.
bool is_foreign(const oci::Descriptor& blob) {
  return blob.media_type.find("nondistributable") != std::string::npos ||
         blob.media_type.find("rootfs.foreign") != std::string::npos;
}

class Copy {
 public:
  Copy(const CopyRoute& route, const CopyOptions& options) : route_(route), options_(options) {}

  Result<CopyResult> run(const std::string& source, const std::string& target);

 private:
  Status collect_all(const std::string& source, const std::string& target);
  Result<RemoteDocument> choose(RemoteDocument root);
  Status look_at_target(const std::string& target);
  // Where a document stands in the tree.
  struct Depth {
    int indexes = 0;    // that it lies in
    int referrers = 0;  // between the image and it
  };
  Status collect(const RemoteDocument& document, Depth depth);
  Status collect_content(const RemoteDocument& document, Depth depth);
  Status collect_unknown(const RemoteDocument& document);
  Status collect_referrers(const oci::Digest& subject, Depth depth);
  Status collect_tagged(const oci::Digest& subject, Depth depth);
  Result<bool> tag_leads_to(const std::string& tag, const oci::Digest& digest);
  Result<bool> has_source_tag(const std::string& tag);
  Result<bool> is_at_target(const oci::Digest& digest);
  void add_blobs(const oci::ImageManifest& manifest);
  void add_blob(const oci::Descriptor& blob, std::string name);
  Status send_blobs();
  Status put_documents();
  Result<http::Headers> put(const RemoteDocument& document);
  Status put_tags();
  Status put_target();

  const CopyRoute& route_;
  const CopyOptions& options_;
  RemoteDocument root_;        // what is copied
  std::string target_;         // the tag or digest it gets
  bool target_exists_ = true;  // the repository, as far as we know
  oci::Digest target_points_at_;
  std::set<oci::Digest> seen_;             // documents and blobs
  std::size_t collected_ = 0;              // documents, those at the target as well
  std::vector<RemoteDocument> documents_;  // to be put, in that order
  std::optional<std::set<std::string>> source_tags_;
  std::map<std::string, RemoteDocument> tagged_;  // by the tag they are to get besides
  std::vector<BlobUpload> uploads_;
  CopyResult result_;
};

// The image of the platform that was asked for, or everything.
Result<RemoteDocument> Copy::choose(RemoteDocument root) {
  if (!options_.platform) {
    return root;
  }
  const auto parsed = oci::parse_document(root.bytes, root.media_type);
  if (!parsed) {
    return parsed.error();
  }
  const auto* index = std::get_if<oci::ImageIndex>(&*parsed);
  if (index == nullptr) {
    return root;
  }
  for (const auto& image : index->manifests) {
    if (is_asked_for(*options_.platform, image.platform)) {
      return fetch_document(route_.from, image.digest.text(), options_.stop);
    }
  }
  return Error::not_found("{}/{} has no image for {}", route_.from.registry(), route_.from.repository(),
                          to_text(*options_.platform));
}

Status Copy::look_at_target(const std::string& target) {
  auto response = get_document(route_.to, target, options_.stop);
  if (!response) {
    return response.error();
  }
  if (response->status == 401) {
    return route_.to.refused(*response, "push to");
  }
  if (response->is_success()) {
    const auto document = document_of(route_.to, std::move(*response), target);
    target_points_at_ = document ? document->digest : oci::Digest();
  } else {
    target_exists_ = response->status != 404 || !has_error_code(*response, "NAME_UNKNOWN");
  }
  return {};
}

Result<bool> Copy::is_at_target(const oci::Digest& digest) {
  if (digest == target_points_at_) {
    return true;
  }
  return target_exists_ ? has_document(route_.to, digest.text(), options_.stop) : false;
}

Status Copy::collect(const RemoteDocument& document, Depth depth) {
  if (!seen_.insert(document.digest).second) {
    return {};
  }
  if (++collected_ > most_documents) {
    return Error::failed("more than {} manifests belong to the image", most_documents);
  }
  const auto is_there = is_at_target(document.digest);
  if (!is_there) {
    return is_there.error();
  }
  const bool has_referrers_below = options_.with_referrers && oci::is_index_type(document.media_type);
  if (!*is_there || has_referrers_below) {
    if (const auto content = collect_content(document, depth); !content) {
      return content;
    }
  }
  if (!*is_there) {
    documents_.push_back(document);
  }
  return options_.with_referrers ? collect_referrers(document.digest, depth) : Status();
}

Status Copy::collect_content(const RemoteDocument& document, Depth depth) {
  if (!oci::is_manifest_type(document.media_type) && !oci::is_index_type(document.media_type)) {
    return collect_unknown(document);
  }
  const auto parsed = oci::parse_document(document.bytes, document.media_type);
  if (!parsed) {
    return parsed.error();
  }
  if (const auto* manifest = std::get_if<oci::ImageManifest>(&*parsed)) {
    add_blobs(*manifest);
    return {};
  }
  if (depth.indexes >= deepest) {
    return Error::failed("indexes lie in indexes more than {} deep", deepest);
  }
  for (const auto& entry : std::get<oci::ImageIndex>(*parsed).manifests) {
    const auto child = fetch_document(route_.from, entry.digest.text(), options_.stop, entry.media_type);
    const auto collected =
        child ? collect(*child, {.indexes = depth.indexes + 1, .referrers = depth.referrers}) : child.error();
    if (!collected) {
      return collected;
    }
  }
  return {};
}

// A kind of manifest that we do not know is copied as it is (image-spec "Extensibility"), with the blobs that it names
// where other kinds do.
Status Copy::collect_unknown(const RemoteDocument& document) {
  const auto value =
      json::parse(document.bytes, "the manifest", {.bytes = oci::longest_manifest, .depth = deepest_manifest});
  if (!value) {
    return value.error();
  }
  const json::Reader root(*value);
  std::vector<json::Reader> named{root.at("config")};
  for (const auto* list : {"layers", "blobs"}) {
    std::ranges::copy(root.at(list).elements(), std::back_inserter(named));
  }
  for (const auto& each : named) {
    if (const auto blob = oci::descriptor_from_json(each); blob && !is_foreign(*blob)) {
      add_blob(*blob, fmt::format("blob {}", blob->digest.brief()));
    }
  }
  return {};
}

Status Copy::collect_referrers(const oci::Digest& subject, Depth depth) {
  const auto entries = list_referrers(route_.from, subject, {}, options_.stop);
  if (!entries) {
    return entries.error();
  }
  if (!entries->empty() && depth.referrers >= deepest_referrers) {
    return Error::failed("what refers to the image is referred to itself, and that again, more than {} deep",
                         deepest_referrers);
  }
  for (const auto& entry : *entries) {
    const auto referrer = fetch_document(route_.from, entry.digest.text(), options_.stop);
    const auto collected =
        referrer ? collect(*referrer, {.indexes = 0, .referrers = depth.referrers + 1}) : referrer.error();
    if (!collected) {
      return collected;
    }
  }
  return depth.referrers == 0 ? collect_tagged(subject, depth) : Status();
}

Result<bool> Copy::has_source_tag(const std::string& tag) {
  if (!source_tags_) {
    const auto tags = list_tags(route_.from, options_.stop);
    if (!tags) {
      return tags.error();
    }
    source_tags_.emplace(tags->begin(), tags->end());
  }
  return source_tags_->contains(tag);
}

Result<bool> Copy::tag_leads_to(const std::string& tag, const oci::Digest& digest) {
  auto response = target_exists_ ? get_document(route_.to, tag, options_.stop)
                                 : Result<http::Response>(http::Response{.status = 404, .headers = {}, .body = {}});
  if (!response) {
    return response.error();
  }
  const auto document = document_of(route_.to, std::move(*response), tag);
  return document && document->digest == digest;
}

// Signatures and the like of older tools, which are found by their tags only.
Status Copy::collect_tagged(const oci::Digest& subject, Depth depth) {
  for (const auto* ending : cosign_endings) {
    const auto tag = fallback_tag(subject) + ending;
    const auto is_there = has_source_tag(tag);
    if (!is_there) {
      return is_there.error();
    }
    if (!*is_there) {
      continue;
    }
    auto document = fetch_document(route_.from, tag, options_.stop);
    const auto is_known = document ? tag_leads_to(tag, document->digest) : document.error();
    if (!is_known) {
      return is_known.error();
    }
    if (const auto collected = collect(*document, {.indexes = 0, .referrers = depth.referrers + 1}); !collected) {
      return collected;
    }
    if (!*is_known) {
      tagged_.emplace(tag, std::move(*document));
    }
  }
  return {};
}

void Copy::add_blobs(const oci::ImageManifest& manifest) {
  add_blob(manifest.config, fmt::format("configuration {}", manifest.config.digest.brief()));
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const auto& layer = manifest.layers[i];
    if (!is_foreign(layer)) {
      add_blob(layer, fmt::format("layer {} ({} of {})", layer.digest.brief(), i + 1, manifest.layers.size()));
    }
  }
}

void Copy::add_blob(const oci::Descriptor& blob, std::string name) {
  if (!seen_.insert(blob.digest).second) {
    return;
  }
  uploads_.push_back({.blob = blob,
                      .open = [this, blob](std::stop_token stop) -> Result<std::shared_ptr<http::Body>> {
                        return remote_body(route_.from, blob, std::move(stop));
                      },
                      .name = std::move(name),
                      .file = {},
                      .ask_first = target_exists_ && route_.mount_from.empty(),
                      .mount_from = route_.mount_from});
}

Status Copy::send_blobs() {
  std::ranges::stable_sort(uploads_, std::greater(), [](const BlobUpload& upload) { return upload.blob.size; });
  std::uint64_t total = 0;
  for (const auto& upload : uploads_) {
    total += upload.blob.size;
  }
  ProgressSum progress(options_.on_progress, total);
  const auto totals =
      upload_all(route_.to, uploads_, {.parallel = options_.parallel, .progress = &progress, .stop = options_.stop});
  if (!totals) {
    return totals.error();
  }
  result_.uploaded_blobs += totals->uploaded_blobs;
  result_.uploaded_bytes += totals->uploaded_bytes;
  result_.mounted_blobs += totals->mounted_blobs;
  return {};
}

Result<http::Headers> Copy::put(const RemoteDocument& document) {
  const auto mend = [this] { return send_blobs(); };
  if (document.digest != root_.digest || target_ == root_.digest.text()) {
    return put_by_digest(route_.to, document, mend, options_.stop);
  }
  auto stored = put_under_tag(route_.to, document, target_, mend, options_.stop);
  target_points_at_ = stored ? document.digest : target_points_at_;
  return stored;
}

Status Copy::put_documents() {
  for (const auto& document : documents_) {
    const auto stored = put(document);
    if (!stored) {
      return stored.error();
    }
    ++result_.manifests;
    if (const auto kept = keep_findable(route_.to, document, *stored, options_.stop); !kept) {
      return kept.error();
    }
  }
  return {};
}

Status Copy::put_tags() {
  for (const auto& [tag, document] : tagged_) {
    if (const auto put = put_document(route_.to, document, tag, options_.stop); !put) {
      return put.error();
    }
  }
  return {};
}

// When the target had the image already, under its digest only.
Status Copy::put_target() {
  if (target_points_at_ == root_.digest || target_ == root_.digest.text()) {
    return {};
  }
  const auto stored = put(root_);
  return stored ? Status() : stored.error();
}

Status Copy::collect_all(const std::string& source, const std::string& target) {
  const auto fetched = fetch_document(route_.from, source, options_.stop);
  auto root = fetched ? choose(*fetched) : fetched.error();
  if (!root) {
    return root.error();
  }
  root_ = *std::move(root);
  target_ = target;
  const auto looked = look_at_target(target);
  return looked ? collect(root_, {}) : looked;
}

Result<CopyResult> Copy::run(const std::string& source, const std::string& target) {
  if (const auto collected = collect_all(source, target); !collected) {
    return collected.error();
  }
  result_.digest = root_.digest;
  if (documents_.empty() && tagged_.empty() && target_points_at_ == root_.digest) {
    result_.outcome = PushResult::Outcome::unchanged;
    return result_;
  }
  for (const auto& step : {&Copy::send_blobs, &Copy::put_documents, &Copy::put_target, &Copy::put_tags}) {
    if (const auto done = (this->*step)(); !done) {
      return done.error();
    }
  }
  return result_;
}

}  // namespace

Result<CopyResult> copy(const CopyRoute& route, const std::string& source, const std::string& target,
                        const CopyOptions& options) {
  return Copy(route, options).run(source, target);
}

}  // namespace deployctl::registry
