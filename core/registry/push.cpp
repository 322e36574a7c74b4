// Few requests is the idea: the image the tag points at now is fetched first. If it is ours, nothing is to be done; if
// not, its blobs are known to be in the repository without asking for each, and a repository that does not exist has
// none. Small blobs are sent without asking, as the question costs as much as the answer saves.
#include "core/registry/push.hpp"

#include "core/base/text.hpp"
#include "core/registry/blob_upload.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>

namespace deployctl::registry {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::uint64_t not_worth_asking = 128u << 10u;
constexpr int manifest_attempts = 4;

// What the repository held before.
struct Before {
  bool is_same = false;         // the tag points at our image
  bool exists = true;           // the repository, as far as we know
  std::set<oci::Digest> blobs;  // that are there for certain
};

void add_blobs(const RemoteDocument& document, std::set<oci::Digest>& blobs) {
  const auto parsed = oci::parse_document(document.bytes, document.media_type);
  const auto* manifest = parsed ? std::get_if<oci::ImageManifest>(&*parsed) : nullptr;
  if (manifest == nullptr) {
    return;
  }
  blobs.insert(manifest->config.digest);
  for (const auto& layer : manifest->layers) {
    blobs.insert(layer.digest);
  }
}

std::string media_type_of(const http::Response& response) {
  const auto type = response.headers.get("Content-Type").value_or("");
  return std::string(base::trim(base::split_once(type, ';').first));
}

Result<Answer> get_manifest(Session& session, const std::string& identifier, std::stop_token stop) {
  return session.send({.method = "GET",
                       .url = session.url("manifests/" + identifier),
                       .headers = {{"Accept", accepted_types()}},
                       .max_body_bytes = oci::longest_manifest},
                      stop);
}

Result<Before> look_before(Session& session, const oci::StoredImage& image, const std::string& tag,
                           std::stop_token stop) {
  const auto answer = get_manifest(session, tag, stop);
  if (!answer) {
    return answer.error();
  }
  const auto& response = answer->response;
  if (response.status == 404) {
    return Before{.is_same = false, .exists = !has_error_code(response, "NAME_UNKNOWN"), .blobs = {}};
  }
  if (response.status == 401) {
    return session.refused(response, "push to");
  }
  Before before;
  if (response.is_success()) {
    before.is_same = oci::Digest::of(response.body) == image.digest;
    add_blobs({.bytes = response.body, .media_type = media_type_of(response), .digest = {}}, before.blobs);
  }
  return before;
}

// Adds up what the uploads tell, each from its own thread.
class ProgressSum {
 public:
  ProgressSum(const PushOptions& options, std::uint64_t total) : options_(options), total_(total) {}

  void moved(const std::string& what, std::uint64_t& last, std::uint64_t now) {
    const std::scoped_lock lock(mutex_);
    done_ = done_ - last + now;
    last = now;
    if (options_.on_progress) {
      options_.on_progress({.what = what, .done = std::min(done_, total_), .total = total_});
    }
  }

 private:
  const PushOptions& options_;
  std::mutex mutex_;
  std::uint64_t done_ = 0;
  std::uint64_t total_;
};

struct Task {
  oci::Descriptor blob;
  std::string name;
  bool ask_first = true;
};

class Push {
 public:
  Push(Session& session, const oci::StoredImage& image, const PushOptions& options)
      : session_(session), image_(image), options_(options), progress_(options, image.total_size()) {}

  Result<PushResult> run(const std::string& tag);

 private:
  [[nodiscard]] std::vector<Task> tasks() const;
  Status upload_missing(std::vector<Task> tasks, const Before& before);
  Status upload_all(const std::vector<Task>& tasks);
  void work(const std::vector<Task>& tasks, std::atomic<std::size_t>& next, std::stop_source& ours);
  Status upload_one(const Task& task, std::stop_token stop);
  void fail(const Error& error, std::stop_source& ours);
  Status put_manifest(const std::string& identifier);
  Status put_manifest_with_blobs();
  Result<http::Response> send_manifest(const std::string& identifier);

  Session& session_;
  const oci::StoredImage& image_;
  const PushOptions& options_;
  ProgressSum progress_;
  std::mutex mutex_;
  std::optional<Error> first_error_;
  PushResult result_;
};

// The configuration and the layers, each digest once, the largest first so that none is left to go alone at the end.
std::vector<Task> Push::tasks() const {
  std::vector<Task> list{
      {.blob = image_.config, .name = fmt::format("configuration {}", image_.config.digest.brief())}};
  std::set<oci::Digest> seen{image_.config.digest};
  for (std::size_t i = 0; i < image_.layers.size(); ++i) {
    const auto& layer = image_.layers[i];
    if (seen.insert(layer.digest).second) {
      list.push_back({.blob = layer,
                      .name = fmt::format("layer {} ({} of {})", layer.digest.brief(), i + 1, image_.layers.size())});
    }
  }
  std::ranges::stable_sort(list, std::greater(), [](const Task& task) { return task.blob.size; });
  return list;
}

Status Push::upload_missing(std::vector<Task> tasks, const Before& before) {
  std::erase_if(tasks, [&](const Task& task) {
    if (!before.blobs.contains(task.blob.digest)) {
      return false;
    }
    std::uint64_t none = 0;
    progress_.moved(task.name, none, task.blob.size);
    return true;
  });
  for (auto& task : tasks) {
    task.ask_first = before.exists && task.blob.size > not_worth_asking;
  }
  return upload_all(tasks);
}

Status Push::upload_all(const std::vector<Task>& tasks) {
  std::stop_source ours;
  const std::stop_callback pass_on(options_.stop, [&ours] { ours.request_stop(); });
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> workers;
    const auto wanted = std::min<std::size_t>(tasks.size(), static_cast<std::size_t>(std::max(options_.parallel, 1)));
    for (std::size_t i = 1; i < wanted; ++i) {
      workers.emplace_back([&] { work(tasks, next, ours); });
    }
    work(tasks, next, ours);
  }
  const std::scoped_lock lock(mutex_);
  return first_error_ ? Status(*first_error_) : Status();
}

void Push::work(const std::vector<Task>& tasks, std::atomic<std::size_t>& next, std::stop_source& ours) {
  for (auto i = next++; i < tasks.size(); i = next++) {
    if (ours.stop_requested()) {
      return fail(Error::interrupted(), ours);
    }
    if (const auto done = upload_one(tasks[i], ours.get_token()); !done) {
      return fail(done.error(), ours);
    }
  }
}

void Push::fail(const Error& error, std::stop_source& ours) {
  {
    const std::scoped_lock lock(mutex_);
    if (!first_error_) {
      first_error_ = error;
    }
  }
  ours.request_stop();
}

Status Push::upload_one(const Task& task, std::stop_token stop) {
  std::uint64_t counted = 0;
  const auto uploaded = upload(session_,
                               {.blob = task.blob,
                                .path = image_.blob_path(task.blob.digest),
                                .name = task.name,
                                .ask_first = task.ask_first,
                                .on_sent = [&](std::uint64_t sent) { progress_.moved(task.name, counted, sent); }},
                               stop);
  if (!uploaded) {
    return uploaded.error();
  }
  progress_.moved(task.name, counted, task.blob.size);
  if (*uploaded == Uploaded::yes) {
    const std::scoped_lock lock(mutex_);
    ++result_.uploaded_blobs;
    result_.uploaded_bytes += task.blob.size;
  }
  return {};
}

Result<http::Response> Push::send_manifest(const std::string& identifier) {
  auto answer = session_.send({.method = "PUT",
                               .url = session_.url("manifests/" + identifier),
                               .headers = {{"Content-Type", image_.media_type}},
                               .body = http::body_of(image_.manifest)},
                              options_.stop);
  return answer ? Result<http::Response>(std::move(answer->response)) : answer.error();
}

Status Push::put_manifest(const std::string& identifier) {
  const auto response = send_manifest(identifier);
  if (!response) {
    return response.error();
  }
  if (!response->is_success()) {
    return session_.refused(*response, fmt::format("push the image manifest as {} to", identifier));
  }
  const auto stored = response->headers.get("Docker-Content-Digest");
  if (stored && *stored != image_.digest.text()) {
    return Error::failed("{} stored the image manifest as {} instead of {}", session_.registry(),
                         base::printable(stored->substr(0, 200)), image_.digest.text());
  }
  return {};
}

// Under its digest, which makes the registry check both the bytes and that every blob is there. A blob may not be there
// after all: taken away by garbage collection, or not yet seen by every part of the registry.
Status Push::put_manifest_with_blobs() {
  for (int attempt = 1;; ++attempt) {
    const auto response = send_manifest(image_.digest.text());
    if (!response) {
      return response.error();
    }
    if (response->is_success()) {
      return {};
    }
    const bool lacks_blob =
        has_error_code(*response, "MANIFEST_BLOB_UNKNOWN") || has_error_code(*response, "BLOB_UNKNOWN");
    if (!lacks_blob || attempt >= manifest_attempts ||
        !session_.wait_before_retry(attempt, "the registry misses a blob of the image", options_.stop)) {
      return session_.refused(*response, "push the image manifest to");
    }
    if (const auto uploaded = upload_all(tasks()); !uploaded) {
      return uploaded;
    }
  }
}

Result<PushResult> Push::run(const std::string& tag) {
  result_.digest = image_.digest;
  const auto before = look_before(session_, image_, tag, options_.stop);
  if (!before) {
    return before.error();
  }
  if (before->is_same) {
    result_.outcome = PushResult::Outcome::unchanged;
    return result_;
  }
  if (const auto uploaded = upload_missing(tasks(), *before); !uploaded) {
    return uploaded.error();
  }
  if (const auto stored = put_manifest_with_blobs(); !stored) {
    return stored.error();
  }
  if (const auto tagged = put_manifest(tag); !tagged) {
    return tagged.error();
  }
  std::uint64_t none = 0;
  progress_.moved("image manifest", none, image_.manifest.size());
  return result_;
}

}  // namespace

std::string accepted_types() {
  constexpr std::array types{oci::media_type::image_manifest, oci::media_type::image_index,
                             oci::media_type::docker_manifest, oci::media_type::docker_manifest_list};
  std::string text;
  for (const auto type : types) {
    text += (text.empty() ? "" : ", ") + std::string(type);
  }
  return text;
}

Result<RemoteDocument> fetch_document(Session& session, const std::string& identifier, std::stop_token stop) {
  auto answer = get_manifest(session, identifier, stop);
  if (!answer) {
    return answer.error();
  }
  auto& response = answer->response;
  if (!response.is_success()) {
    return session.refused(response, fmt::format("find {} in", identifier));
  }
  RemoteDocument document{.bytes = std::move(response.body), .media_type = media_type_of(response), .digest = {}};
  document.digest = oci::Digest::of(document.bytes);
  const bool is_asked_by_digest = identifier.starts_with("sha256:");
  if (is_asked_by_digest && document.digest.text() != identifier) {
    return Error::failed("{} answered with other bytes than those of {}", session.registry(), identifier);
  }
  return document;
}

Result<PushResult> push(Session& session, const oci::StoredImage& image, const std::string& tag,
                        const PushOptions& options) {
  return Push(session, image, options).run(tag);
}

}  // namespace deployctl::registry
