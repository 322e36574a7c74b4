// What the tag points at now is fetched first. If it is ours, nothing is to be done; if not, its blobs are known to be
// in the repository without asking for each. A registry that is far is asked for the largest layer beside that: where
// it is, there is a repository with blobs of ours in it. Where there is neither, the list of tags tells whether there
// is a repository at all: one that does not exist has no blobs that could be asked for, but those of a push that was
// interrupted before its first manifest. Such a push sends the largest layer first and a configuration next, so where
// neither is, there is little or nothing.
//
// Whether a registry is far shows when its answer does not come at once. One that is near answers two questions one
// after the other as soon as at the same time, and the second is often not needed.
#include "core/registry/look_before.hpp"

#include "core/registry/blob_upload.hpp"
#include "core/registry/document.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

namespace deployctl::registry {
namespace {

using base::Result;

constexpr std::uint64_t not_worth_asking = 128u << 10u;
constexpr std::uint64_t worth_looking_for_remains = 1u << 20u;
constexpr std::size_t most_images_looked_into = 16;   // of the index the tag points at
constexpr std::chrono::milliseconds near_answer{10};  // how soon a registry answers that is near
constexpr std::chrono::milliseconds at_once{3};       // how long one question waits for another's answer

// Asks for a blob while something else is asked, if that takes longer than `wait`. A question that nobody waits for in
// the end is given up.
class QuestionBeside {
 public:
  // No blob: nothing is asked.
  QuestionBeside(Session& session, const oci::Descriptor* blob, std::chrono::milliseconds wait,
                 const std::stop_token& outer)
      : blob_(blob), pass_on_(outer, [this] { stop_.request_stop(); }) {
    if (blob != nullptr) {
      thread_ = std::jthread([this, &session, wait] { ask(session, wait); });
    }
  }
  ~QuestionBeside() { stop_.request_stop(); }
  QuestionBeside(const QuestionBeside&) = delete;
  QuestionBeside& operator=(const QuestionBeside&) = delete;

  // Notes the answer if the question has been asked by now.
  void note_answer(Before& before) {
    if (!has_begun_) {
      stop_.request_stop();
    }
    wait_and_note(before);
  }
  void wait_and_note(Before& before) {
    if (thread_.joinable()) {
      thread_.join();
    }
    if (is_there_) {
      (*is_there_ ? before.known : before.missing).insert(blob_->digest);
    }
  }

 private:
  // Once: what cannot be found out so will be asked, or sent, when it is the blob's turn.
  void ask(Session& session, std::chrono::milliseconds wait) {
    if (wait > std::chrono::milliseconds(0) && !session.ports().clock.sleep_for(wait, stop_.get_token())) {
      return;
    }
    has_begun_ = true;
    const auto answer = has_blob(session, *blob_, stop_.get_token(), Repeat::never);
    is_there_ = answer ? std::optional(*answer) : std::nullopt;
  }

  const oci::Descriptor* blob_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> pass_on_;
  std::atomic<bool> has_begun_ = false;
  std::optional<bool> is_there_;
  std::jthread thread_;  // last: the rest must outlive it
};

void add_blobs(const oci::ImageManifest& manifest, std::set<oci::Digest>& known) {
  known.insert(manifest.config.digest);
  for (const auto& layer : manifest.layers) {
    known.insert(layer.digest);
  }
}

// Everything the document refers to; the images of an index are fetched for that. What cannot be read tells nothing.
void add_content(Session& session, const RemoteDocument& document, std::set<oci::Digest>& known, std::stop_token stop) {
  const auto parsed = oci::parse_document(document.bytes, document.media_type);
  if (!parsed) {
    return;
  }
  known.insert(document.digest);
  if (const auto* manifest = std::get_if<oci::ImageManifest>(&*parsed)) {
    return add_blobs(*manifest, known);
  }
  const auto& images = std::get<oci::ImageIndex>(*parsed).manifests;
  for (std::size_t i = 0; i < std::min(images.size(), most_images_looked_into); ++i) {
    const auto image = fetch_document(session, images[i].digest.text(), stop);
    const auto read = image ? oci::parse_document(image->bytes, image->media_type) : image.error();
    if (read && std::holds_alternative<oci::ImageManifest>(*read)) {
      known.insert(image->digest);
      add_blobs(std::get<oci::ImageManifest>(*read), known);
    }
  }
}

Result<Before> look_at_tag(Session& session, const Pushed& image, std::stop_token stop) {
  const auto began = session.now();
  auto response = get_document(session, image.tag, stop);
  if (!response) {
    return response.error();
  }
  Before before{.is_far = session.now() - began >= near_answer, .known = {}, .missing = {}};
  if (response->status == 401) {
    return session.refused(*response, "push to");
  }
  before.exists = response->status != 404 || !has_error_code(*response, "NAME_UNKNOWN");
  if (response->is_success()) {
    const auto document = document_of(session, std::move(*response), image.tag);
    before.is_same = document && document->digest == image.digest;
    if (document && !before.is_same) {
      add_content(session, *document, before.known, stop);
    }
  }
  return before;
}

// Only a registry that says so has no such repository.
bool repository_exists(Session& session, std::stop_token stop) {
  const auto answer =
      session.send({.method = "GET", .url = session.url("tags/list").with_query("n", "1"), .repeat = Repeat::no}, stop);
  return !answer || answer->response.status != 404 || !has_error_code(answer->response, "NAME_UNKNOWN");
}

const oci::Descriptor* largest(const Pushed& image) {
  return !image.blobs.empty() && is_worth_asking(image.blobs.front()) ? &image.blobs.front() : nullptr;
}

const oci::Descriptor* configuration_of_remains(const Pushed& image) {
  return image.blobs.size() > 1 && image.blobs.front().size >= worth_looking_for_remains ? &image.blobs[1] : nullptr;
}

// In a repository that does not exist.
void look_for_remains(Session& session, const Pushed& image, Before& before, std::stop_token stop) {
  const auto* configuration = configuration_of_remains(image);
  if (configuration == nullptr) {
    return;
  }
  const auto unknown = [&](const oci::Descriptor* blob) {
    return before.known.contains(blob->digest) || before.missing.contains(blob->digest) ? nullptr : blob;
  };
  QuestionBeside beside(session, unknown(largest(image)), {}, stop);
  if (const auto* blob = unknown(configuration)) {
    const auto is_there = has_blob(session, *blob, stop, Repeat::never);
    (is_there && *is_there ? before.known : before.missing).insert(blob->digest);
  }
  beside.wait_and_note(before);
}

// When neither the tag nor the largest layer is there, as far as it was asked for.
void look_for_repository(Session& session, const Pushed& image, Before& before, std::stop_token stop) {
  if (before.exists && std::ranges::count_if(image.blobs, is_worth_asking) > 1) {
    QuestionBeside configuration(session, configuration_of_remains(image), at_once, stop);
    before.exists = repository_exists(session, stop);
    if (!before.exists) {
      configuration.note_answer(before);
    }
  }
  if (!before.exists) {
    look_for_remains(session, image, before, stop);
  }
}

}  // namespace

bool is_worth_asking(const oci::Descriptor& blob) {
  return blob.size > not_worth_asking;
}

Result<Before> look_before(Session& session, const Pushed& image, std::stop_token stop) {
  QuestionBeside beside(session, largest(image), at_once, stop);
  auto before = look_at_tag(session, image, stop);
  if (!before || before->is_same) {
    return before;
  }
  const bool is_new = before->known.empty();
  if (largest(image) == nullptr || !before->known.contains(largest(image)->digest)) {
    beside.note_answer(*before);
  }
  if (is_new && before->known.empty()) {
    look_for_repository(session, image, *before, stop);
  }
  before->exists = before->exists || !before->known.empty();
  return before;
}

}  // namespace deployctl::registry
