// The fallback index is read, changed and written back. Registries do not guard that against others who do the same at
// the same time, so it is read again a while afterwards, and changed again when our entry was lost.
#include "core/registry/referrers.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/registry/document.hpp"
#include "core/registry/push.hpp"
#include "core/registry/tags.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::registry {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t most_verified = 256;

using Descriptors = std::vector<oci::Descriptor>;

bool is_index(const http::Response& response) {
  const auto type = response.headers.get("Content-Type").value_or("");
  return base::trim(base::split_once(type, ';').first) == oci::media_type::image_index;
}

std::optional<oci::ImageIndex> index_in(std::string_view bytes) {
  const auto document = oci::parse_document(bytes, oci::media_type::image_index);
  const auto* index = document ? std::get_if<oci::ImageIndex>(&*document) : nullptr;
  return index ? std::optional(*index) : std::nullopt;
}

// Nothing when the registry has no such API: 404 by the letter, but others say 400 or 405, or 200 and something else.
Result<std::optional<Descriptors>> ask_api(Session& session, const oci::Digest& subject, std::string_view artifact_type,
                                           std::stop_token stop) {
  Call first{.method = "GET",
             .url = session.url("referrers/" + subject.text()),
             .headers = {{"Accept", std::string(oci::media_type::image_index)}},
             .max_body_bytes = oci::longest_manifest};
  if (!artifact_type.empty()) {
    first.url = first.url.with_query("artifactType", artifact_type);
  }
  std::optional<Descriptors> found;
  const auto take = [&](const Answer& answer) -> Status {
    const auto& response = answer.response;
    const auto index = response.is_success() && is_index(response) ? index_in(response.body) : std::nullopt;
    if (index) {
      found = found.value_or(Descriptors());
      found->insert(found->end(), index->manifests.begin(), index->manifests.end());
      return {};
    }
    const bool is_unsupported =
        response.is_success() || response.status == 404 || response.status == 400 || response.status == 405;
    return is_unsupported ? Status()
                          : session.refused(response, fmt::format("list what refers to {} in", subject.brief()));
  };
  const auto asked = each_page(session, first, take, stop);
  return asked ? Result(std::move(found)) : asked.error();
}

// The index under the fallback tag; nothing when there is none. Some registries lead the tag to the subject itself.
Result<std::optional<RemoteDocument>> fetch_fallback(Session& session, const oci::Digest& subject,
                                                     std::stop_token stop) {
  auto document = fetch_document(session, fallback_tag(subject), stop);
  if (!document) {
    return document.error().code == ErrorCode::not_found ? Result(std::optional<RemoteDocument>()) : document.error();
  }
  if (document->digest == subject) {
    return std::optional<RemoteDocument>();
  }
  if (!index_in(document->bytes)) {
    return Error::failed("the tag {} in {}/{} is not an index of referrers", fallback_tag(subject), session.registry(),
                         session.repository());
  }
  return std::optional(std::move(*document));
}

// The entries of a fallback index are only a claim.
Result<bool> refers_to(Session& session, const oci::Descriptor& entry, const oci::Digest& subject,
                       std::stop_token stop) {
  const auto document = fetch_document(session, entry.digest.text(), stop);
  if (!document) {
    return document.error().code == ErrorCode::not_found ? Result(false) : document.error();
  }
  return subject_of(*document) == subject;
}

bool is_of_type(const oci::Descriptor& entry, std::string_view artifact_type) {
  return artifact_type.empty() || entry.artifact_type == artifact_type;
}

bool lists(const Descriptors& list, const oci::Digest& digest) {
  return std::ranges::find(list, digest, &oci::Descriptor::digest) != list.end();
}

Status add_fallback(Session& session, const oci::Digest& subject, std::string_view artifact_type, Descriptors& found,
                    std::stop_token stop) {
  const auto fallback = fetch_fallback(session, subject, stop);
  if (!fallback) {
    return fallback.error();
  }
  const auto index = *fallback ? index_in((*fallback)->bytes) : std::nullopt;
  std::size_t verified = 0;
  for (const auto& entry : index ? index->manifests : Descriptors()) {
    if (!is_of_type(entry, artifact_type) || lists(found, entry.digest)) {
      continue;
    }
    if (++verified > most_verified) {
      return Error::failed("more than {} manifests claim to refer to {}", most_verified, subject.text());
    }
    const auto refers = refers_to(session, entry, subject, stop);
    if (!refers) {
      return refers.error();
    }
    if (*refers) {
      found.push_back(entry);
    }
  }
  return {};
}

// What stands for a manifest in an index of referrers: with its artifact type and all its annotations.
Result<oci::Descriptor> referrer_of(const RemoteDocument& document) {
  auto parsed = oci::parse_document(document.bytes, document.media_type);
  if (!parsed) {
    return parsed.error();
  }
  oci::Descriptor entry{.media_type = document.media_type,
                        .digest = document.digest,
                        .size = document.bytes.size(),
                        .platform = {},
                        .annotations = {}};
  std::visit(
      [&](auto& one) {
        entry.annotations = std::move(one.annotations);
        entry.artifact_type = std::move(one.artifact_type);
      },
      *parsed);
  if (const auto* manifest = std::get_if<oci::ImageManifest>(&*parsed); manifest && entry.artifact_type.empty()) {
    entry.artifact_type = manifest->config.media_type;
  }
  return entry;
}

// A change of the index's "manifests"; false when there is nothing to change. What others wrote into the index stays
// as it is, whether we know it or not.
using Change = std::function<bool(json::Value& manifests)>;

std::string changed(const std::optional<RemoteDocument>& before, const Change& change) {
  const auto parsed = before ? json::parse(before->bytes, "the index of referrers") : Result(json::Value());
  auto index = parsed && parsed->is_object()
                   ? *parsed
                   : json::Value{{"schemaVersion", 2}, {"mediaType", std::string(oci::media_type::image_index)}};
  if (!index.contains("manifests") || !index["manifests"].is_array()) {
    index["manifests"] = json::Value::array();
  }
  return change(index["manifests"]) ? json::to_compact_text(index) : std::string();
}

// Until a reading shows nothing more to change.
Status change_fallback(Session& session, const oci::Digest& subject, const Change& change, std::stop_token stop) {
  for (int attempt = 0;; ++attempt) {
    const auto begun = session.now();
    const auto before = fetch_fallback(session, subject, stop);
    if (!before) {
      return before.error();
    }
    const auto bytes = changed(*before, change);
    if (bytes.empty()) {
      return {};
    }
    if (attempt > 0 && !session.wait_before_retry(attempt, "the index of referrers was changed by others", stop)) {
      return stop.stop_requested()
                 ? Error::interrupted()
                 : Error::make(ErrorCode::conflict, "others change the tag {} at the same time", fallback_tag(subject));
    }
    const RemoteDocument after{
        .bytes = bytes, .media_type = std::string(oci::media_type::image_index), .digest = oci::Digest::of(bytes)};
    if (const auto put = put_document(session, after, fallback_tag(subject), stop); !put) {
      return put.error();
    }
    // Who read the index before us and has not written yet takes our entry away only then.
    if (!session.let_others_finish(begun, stop)) {
      return Error::interrupted();
    }
  }
}

json::Value::iterator entry_of(json::Value& manifests, const oci::Digest& digest) {
  return std::ranges::find_if(manifests, [&](const json::Value& entry) {
    return json::Reader(entry).at("digest").string_or() == digest.text();
  });
}

}  // namespace

std::optional<oci::Digest> subject_of(const RemoteDocument& document) {
  const auto parsed = oci::parse_document(document.bytes, document.media_type);
  if (!parsed) {
    return std::nullopt;
  }
  const auto& subject = std::visit(
      [](const auto& one) -> const auto& { return one.subject; }, *parsed);
  return subject ? std::optional(subject->digest) : std::nullopt;
}

std::string fallback_tag(const oci::Digest& subject) {
  auto tag = fmt::format("{}-{}", subject.algorithm().substr(0, 32), subject.encoded().substr(0, 64));
  std::ranges::replace_if(
      tag, [](char letter) { return letter == '+' || letter == ':'; }, '-');
  return tag;
}

Result<Descriptors> list_referrers(Session& session, const oci::Digest& subject, std::string_view artifact_type,
                                   std::stop_token stop) {
  auto from_api = ask_api(session, subject, artifact_type, stop);
  if (!from_api) {
    return from_api.error();
  }
  auto found = from_api->value_or(Descriptors());
  // A registry may not have applied the filter.
  std::erase_if(found, [&](const oci::Descriptor& entry) { return !is_of_type(entry, artifact_type); });
  const auto added = add_fallback(session, subject, artifact_type, found, stop);
  return added ? Result(std::move(found)) : added.error();
}

Result<bool> keep_findable(Session& session, const RemoteDocument& document, const http::Headers& answer,
                           std::stop_token stop) {
  const auto subject = subject_of(document);
  if (!subject || answer.get("OCI-Subject")) {
    return false;
  }
  const auto entry = referrer_of(document);
  if (!entry) {
    return entry.error();
  }
  const auto kept = change_fallback(
      session, *subject,
      [&](json::Value& manifests) {
        const bool is_new = entry_of(manifests, entry->digest) == manifests.end();
        if (is_new) {
          manifests.push_back(oci::to_json(*entry));
        }
        return is_new;
      },
      stop);
  return kept ? Result(true) : kept.error().within("noting it for {}", subject->brief());
}

Result<Attached> attach(Session& session, const oci::StoredImage& artifact, const PushOptions& options) {
  const RemoteDocument document{
      .bytes = artifact.manifest, .media_type = artifact.media_type, .digest = artifact.digest};
  if (!subject_of(document)) {
    return Error::failed("the manifest {} has no subject to be attached to", artifact.digest.brief());
  }
  const auto stored = push_by_digest(session, artifact, options);
  if (!stored) {
    return stored.error();
  }
  const auto by_tag = keep_findable(session, document, *stored, options.stop);
  return by_tag ? Result(Attached{.digest = artifact.digest, .by_fallback_tag = *by_tag}) : by_tag.error();
}

Status forget_referrer(Session& session, const oci::Digest& subject, const oci::Digest& which, std::stop_token stop) {
  return change_fallback(
      session, subject,
      [&](json::Value& manifests) {
        const auto entry = entry_of(manifests, which);
        const bool is_there = entry != manifests.end();
        if (is_there) {
          manifests.erase(entry);
        }
        return is_there;
      },
      stop);
}

}  // namespace deployctl::registry
