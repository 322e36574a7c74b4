// A signature is looked at before what it signs is read: nothing of what strangers wrote is parsed further than to find
// the two.
#include "core/images/signatures.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"
#include "core/oci/image.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::images {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t longest_document = 1u << 20u;
constexpr std::size_t most_signatures = 100;

constexpr std::string_view payload_type = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr std::string_view payload_claim = "cosign container image signature";
constexpr const char* signature_annotation = "dev.cosignproject.cosign/signature";

constexpr std::string_view bundle_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
constexpr std::string_view statement_type = "application/vnd.in-toto+json";
constexpr std::string_view signing_predicate = "https://sigstore.dev/cosign/sign/v1";

constexpr const char* other_key = "it was made with another key";
constexpr const char* other_image = "it is of another image";

bool signs(std::string_view message, std::string_view signature, const oci::PublicKey& key) {
  const auto bytes = base::base64_decode(signature);
  return bytes && key.verifies(message, *bytes);
}

// What DSSE signs ("Pre-Authentication Encoding").
std::string encoded_for_signing(std::string_view type, std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", type.size(), type, payload.size(), payload);
}

std::string problem_with_statement(std::string_view text, const oci::Digest& image) {
  const auto value = json::parse(text, "the signed statement", {.bytes = longest_document});
  if (!value) {
    return "what it signs is no JSON";
  }
  const json::Reader statement(*value);
  if (statement.at("predicateType").string_or() != signing_predicate) {
    return "it signs something that is said of an image, not the image";
  }
  const auto subjects = statement.at("subject").elements();
  const bool is_of_it = std::ranges::any_of(subjects, [&](const json::Reader& subject) {
    return subject.at("digest").at(image.algorithm()).string_or() == image.encoded();
  });
  return is_of_it ? "" : other_image;
}

std::string problem_with_envelope(const json::Reader& envelope, const oci::Digest& image, const oci::PublicKey& key) {
  const auto type = envelope.at("payloadType").string_or();
  const auto payload = base::base64_decode(envelope.at("payload").string_or());
  if (!payload || type != statement_type) {
    return "it holds no statement";
  }
  const auto message = encoded_for_signing(type, *payload);
  const auto signatures = envelope.at("signatures").elements();
  const bool is_by_key = std::ranges::any_of(
      signatures, [&](const json::Reader& signature) { return signs(message, signature.at("sig").string_or(), key); });
  return is_by_key ? problem_with_statement(*payload, image) : other_key;
}

class Reading {
 public:
  Reading(const oci::Reference& image, const oci::PublicKey& key, registry::Client& registry, std::stop_token stop)
      : image_(image), key_(key), registry_(registry), stop_(std::move(stop)) {}

  Result<SignedImage> run();

 private:
  Status read_tag();
  Status read_bundles();
  Status read_layers_of(const registry::RemoteDocument& document, Signature::Layout layout);
  Result<std::string> text_of(const oci::Descriptor& layer);
  [[nodiscard]] std::string problem_with(const oci::Descriptor& layer, std::string_view text,
                                         Signature::Layout layout) const;

  const oci::Reference& image_;
  const oci::PublicKey& key_;
  registry::Client& registry_;
  std::stop_token stop_;
  registry::RemoteDocument root_;
  SignedImage found_;
};

Result<SignedImage> Reading::run() {
  auto root = registry_.manifest(image_, stop_);
  if (!root) {
    return root.error();
  }
  root_ = std::move(*root);
  found_.digest = root_.digest;
  for (const auto read : {&Reading::read_tag, &Reading::read_bundles}) {
    if (const auto done = (this->*read)(); !done) {
      return done.error();
    }
  }
  return std::move(found_);
}

Status Reading::read_tag() {
  const auto tag = fmt::format("{}-{}.sig", root_.digest.algorithm(), root_.digest.encoded());
  const auto document = registry_.manifest(image_.with_tag(tag), stop_);
  if (!document) {
    return document.error().code == base::ErrorCode::not_found ? Status() : document.error();
  }
  return read_layers_of(*document, Signature::Layout::tag);
}

Status Reading::read_bundles() {
  const auto referrers = registry_.referrers(image_, root_.digest, bundle_type, stop_);
  if (!referrers) {
    return referrers.error();
  }
  for (const auto& referrer : *referrers) {
    const auto document = registry_.manifest(image_.with_digest(referrer.digest), stop_);
    const auto read = document ? read_layers_of(*document, Signature::Layout::bundle) : document.error();
    if (!read) {
      return read;
    }
  }
  return {};
}

Status Reading::read_layers_of(const registry::RemoteDocument& document, Signature::Layout layout) {
  const auto parsed = oci::parse_document(document.bytes, document.media_type);
  const auto* manifest = parsed ? std::get_if<oci::ImageManifest>(&*parsed) : nullptr;
  if (manifest == nullptr) {
    return parsed ? Error::failed("{} holds no signatures", document.digest.text()) : parsed.error();
  }
  for (const auto& layer : manifest->layers) {
    if (layer.media_type != (layout == Signature::Layout::tag ? payload_type : bundle_type)) {
      continue;
    }
    if (found_.signatures.size() >= most_signatures) {
      return Error::failed("it has more than {} signatures", most_signatures);
    }
    const auto text = text_of(layer);
    if (!text) {
      return text.error();
    }
    found_.signatures.push_back(
        {.layout = layout, .manifest = document.digest, .problem = problem_with(layer, *text, layout)});
  }
  return {};
}

Result<std::string> Reading::text_of(const oci::Descriptor& layer) {
  if (layer.size > longest_document) {
    return Error::failed("the signature {} has {}", layer.digest.brief(), base::human_bytes(layer.size));
  }
  std::string text;
  const auto fetched = registry_.fetch_blob(
      image_, layer,
      [&](std::string_view piece) {
        text += piece;
        return Status();
      },
      stop_);
  return fetched ? Result(std::move(text)) : fetched.error();
}

std::string Reading::problem_with(const oci::Descriptor& layer, std::string_view text, Signature::Layout layout) const {
  if (layout == Signature::Layout::bundle) {
    return problem_with_bundle(text, root_.bytes, key_);
  }
  const auto signature = layer.annotations.find(signature_annotation);
  return signature == layer.annotations.end() ? "the signature itself is missing"
                                              : problem_with_payload(text, signature->second, root_.digest, key_);
}

}  // namespace

bool SignedImage::is_verified() const {
  return std::ranges::any_of(signatures, [](const Signature& each) { return each.problem.empty(); });
}

std::string problem_with_payload(std::string_view payload, std::string_view signature, const oci::Digest& image,
                                 const oci::PublicKey& key) {
  if (!signs(payload, signature, key)) {
    return other_key;
  }
  const auto value = json::parse(payload, "the signed claim", {.bytes = longest_document});
  if (!value) {
    return "what it signs is no JSON";
  }
  const auto critical = json::Reader(*value).at("critical");
  if (critical.at("type").string_or() != payload_claim) {
    return "what it signs is no claim of cosign's";
  }
  return critical.at("image", "docker-manifest-digest").string_or() == image.text() ? "" : other_image;
}

std::string problem_with_bundle(std::string_view bundle, std::string_view manifest, const oci::PublicKey& key) {
  const auto value = json::parse(bundle, "the bundle", {.bytes = longest_document});
  if (!value) {
    return "the bundle is no JSON";
  }
  const json::Reader root(*value);
  if (root.at("dsseEnvelope").is_object()) {
    return problem_with_envelope(root.at("dsseEnvelope"), oci::Digest::of(manifest), key);
  }
  return signs(manifest, root.at("messageSignature", "signature").string_or(), key) ? "" : other_key;
}

base::Result<SignedImage> read_signatures(const oci::Reference& image, const oci::PublicKey& key,
                                          registry::Client& registry, std::stop_token stop) {
  auto found = Reading(image, key, registry, std::move(stop)).run();
  return found ? std::move(found) : found.error().within("looking for signatures of {}", oci::to_familiar(image));
}

}  // namespace deployctl::images
