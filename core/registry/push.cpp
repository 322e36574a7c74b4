// Few requests is the idea: what is there already is found out first (look_before.hpp), and only the rest is sent.
#include "core/registry/push.hpp"

#include "core/base/text.hpp"
#include "core/registry/blob_transfer.hpp"
#include "core/registry/document.hpp"
#include "core/registry/look_before.hpp"

#include <algorithm>
#include <set>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

// What a registry takes to store the blobs is all that there is to wait for where it is near, and more at once would
// only get into each other's way.
constexpr int enough_for_near = 8;

RemoteDocument document(const oci::StoredImage& image) {
  return {.bytes = image.manifest, .media_type = image.media_type, .digest = image.digest};
}

RemoteDocument document(const oci::StoredIndex& index) {
  return {.bytes = index.bytes, .media_type = index.media_type, .digest = index.digest};
}

std::uint64_t total_size(const std::vector<const oci::StoredImage*>& images) {
  std::uint64_t total = 0;
  for (const auto* image : images) {
    total += image->total_size();
  }
  return total;
}

class Push {
 public:
  Push(Session& session, std::vector<const oci::StoredImage*> images, const PushOptions& options)
      : session_(session),
        images_(std::move(images)),
        options_(options),
        progress_(options.on_progress, total_size(images_)) {}

  // `root` is what the tag is to point at: the only image, or the index of all.
  Result<PushResult> run(const RemoteDocument& root, const std::string& tag);
  Result<http::Headers> run_untagged(const oci::StoredImage& image);

 private:
  [[nodiscard]] std::vector<BlobUpload> uploads() const;
  Result<Before> look_before(const oci::Digest& ours, const std::string& tag);
  [[nodiscard]] bool is_configuration(const BlobUpload& upload) const;
  void add_uploads(const oci::StoredImage& image, std::set<oci::Digest>& seen, std::vector<BlobUpload>& list) const;
  [[nodiscard]] BlobUpload upload_of(const oci::StoredImage& image, const oci::Descriptor& blob,
                                     std::string name) const;
  Status upload_missing(const Before& before);
  Status upload(const std::vector<BlobUpload>& list);
  Result<http::Headers> put_image(const oci::StoredImage& image);
  Status put_images(const Before& before);
  [[nodiscard]] bool is_index(const RemoteDocument& root) const;
  Status put_root(const RemoteDocument& root, const std::string& tag);

  Session& session_;
  std::vector<const oci::StoredImage*> images_;
  const PushOptions& options_;
  ProgressSum progress_;
  bool is_far_ = true;  // the registry, as far as we know
  PushResult result_;
};

BlobUpload Push::upload_of(const oci::StoredImage& image, const oci::Descriptor& blob, std::string name) const {
  const auto path = image.blob_path(blob.digest);
  return {.blob = blob,
          .open = [this, path](const std::stop_token&) { return session_.ports().open_file(path); },
          .name = std::move(name),
          .file = path};
}

bool Push::is_configuration(const BlobUpload& upload) const {
  return std::ranges::any_of(images_, [&](const auto* image) { return image->config.digest == upload.blob.digest; });
}

void Push::add_uploads(const oci::StoredImage& image, std::set<oci::Digest>& seen,
                       std::vector<BlobUpload>& list) const {
  if (seen.insert(image.config.digest).second) {
    list.push_back(upload_of(image, image.config, fmt::format("configuration {}", image.config.digest.brief())));
  }
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const auto& layer = image.layers[i];
    if (seen.insert(layer.digest).second) {
      list.push_back(upload_of(image, layer,
                               fmt::format("layer {} ({} of {})", layer.digest.brief(), i + 1, image.layers.size())));
      list.back().mount_from = session_.also_pull();
    }
  }
}

// Configurations and layers, each digest once. The largest layer goes first, over the connection that is open already,
// and the smaller ones later, so that none is left to go alone at the end; configurations go between, being small and
// not to be waited for behind many.
std::vector<BlobUpload> Push::uploads() const {
  std::vector<BlobUpload> list;
  std::set<oci::Digest> seen;
  for (const auto* image : images_) {
    add_uploads(*image, seen, list);
  }
  std::ranges::stable_sort(list, [this](const BlobUpload& one, const BlobUpload& other) {
    const bool one_is_first = is_configuration(one);
    return one_is_first != is_configuration(other) ? one_is_first : one.blob.size > other.blob.size;
  });
  const auto largest = std::ranges::find_if(list, [this](const auto& upload) { return !is_configuration(upload); });
  if (largest != list.end()) {
    std::rotate(list.begin(), largest, largest + 1);
  }
  return list;
}

Result<Before> Push::look_before(const oci::Digest& ours, const std::string& tag) {
  std::vector<oci::Descriptor> blobs;
  for (const auto& upload : uploads()) {
    blobs.push_back(upload.blob);
  }
  auto before = registry::look_before(session_, {.digest = ours, .tag = tag, .blobs = blobs}, options_.stop);
  is_far_ = !before || before->is_far;
  return before;
}

Status Push::upload_missing(const Before& before) {
  auto list = uploads();
  std::erase_if(list, [&](const BlobUpload& upload) {
    const bool is_there = before.known.contains(upload.blob.digest);
    if (is_there) {
      progress_.has(upload.name, upload.blob.size);
    }
    return is_there;
  });
  for (auto& upload : list) {
    upload.ask_first = before.exists && is_worth_asking(upload.blob) && !before.missing.contains(upload.blob.digest);
  }
  return upload(list);
}

Status Push::upload(const std::vector<BlobUpload>& list) {
  const auto parallel = is_far_ ? options_.parallel : std::min(options_.parallel, enough_for_near);
  const auto totals = upload_all(session_, list, {.parallel = parallel, .progress = &progress_, .stop = options_.stop});
  if (!totals) {
    return totals.error();
  }
  result_.uploaded_blobs += totals->uploaded_blobs;
  result_.uploaded_bytes += totals->uploaded_bytes;
  return {};
}

Result<http::Headers> Push::put_image(const oci::StoredImage& image) {
  auto stored = put_by_digest(
      session_, document(image), [this] { return upload(uploads()); }, options_.stop);
  if (stored) {
    progress_.has("image manifest", image.manifest.size());
  }
  return stored;
}

Status Push::put_images(const Before& before) {
  for (const auto* image : images_) {
    if (before.known.contains(image->digest)) {
      continue;
    }
    if (const auto stored = put_image(*image); !stored) {
      return stored.error();
    }
  }
  return {};
}

bool Push::is_index(const RemoteDocument& root) const {
  return images_.size() != 1 || images_.front()->digest != root.digest;
}

// Straight to the tag: that answer says both that everything is there and what was stored, as the one to its digest
// would (docs/decisions/0015-straight-to-the-tag.md).
Status Push::put_root(const RemoteDocument& root, const std::string& tag) {
  const auto mend = [&] { return is_index(root) ? put_images({}) : upload(uploads()); };
  const auto tagged = put_under_tag(session_, root, tag, mend, options_.stop);
  if (!tagged) {
    return tagged.error();
  }
  if (!is_index(root)) {
    progress_.has("image manifest", root.bytes.size());
  }
  return {};
}

Result<PushResult> Push::run(const RemoteDocument& root, const std::string& tag) {
  result_.digest = root.digest;
  if (const auto fits = check_size(root); !fits) {
    return fits.error();
  }
  constexpr std::size_t beside = 1;  // a question of look_before()
  session_.prepare(static_cast<int>(
      std::min<std::size_t>(uploads().size() + beside, static_cast<std::size_t>(std::max(options_.parallel, 1)))));
  const auto before = look_before(root.digest, tag);
  if (!before) {
    return before.error();
  }
  if (before->is_same) {
    result_.outcome = PushResult::Outcome::unchanged;
    return result_;
  }
  if (const auto uploaded = upload_missing(*before); !uploaded) {
    return uploaded.error();
  }
  if (const auto stored = is_index(root) ? put_images(*before) : Status(); !stored) {
    return stored.error();
  }
  const auto tagged = put_root(root, tag);
  return tagged ? Result<PushResult>(result_) : tagged.error();
}

Result<http::Headers> Push::run_untagged(const oci::StoredImage& image) {
  const auto uploaded = upload_missing({});
  return uploaded ? put_image(image) : uploaded.error();
}

}  // namespace

Result<PushResult> push(Session& session, const oci::StoredImage& image, const std::string& tag,
                        const PushOptions& options) {
  return Push(session, {&image}, options).run(document(image), tag);
}

Result<PushResult> push(Session& session, const oci::StoredIndex& index, const std::string& tag,
                        const PushOptions& options) {
  std::vector<const oci::StoredImage*> images;
  for (const auto& image : index.images) {
    images.push_back(&image);
  }
  return Push(session, std::move(images), options).run(document(index), tag);
}

Result<http::Headers> push_by_digest(Session& session, const oci::StoredImage& image, const PushOptions& options) {
  return Push(session, {&image}, options).run_untagged(image);
}

}  // namespace deployctl::registry
