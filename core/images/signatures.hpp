// Signatures that cosign has laid beside an image, checked with a public key. No transparency log is asked and no
// certificate trusted: the key alone decides.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/digest.hpp"
#include "core/oci/public_key.hpp"
#include "core/oci/reference.hpp"
#include "core/registry/client.hpp"

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::images {

struct Signature {
  enum class Layout {
    tag,     // a layer of what the tag "sha256-<hex>.sig" points at (cosign's SIGNATURE_SPEC.md)
    bundle,  // a Sigstore bundle that refers to the image (cosign's BUNDLE_SPEC.md)
  };
  Layout layout = Layout::tag;
  oci::Digest manifest;  // which holds it
  std::string problem;   // why it does not count: "it was made with another key"; empty when it counts
};

struct SignedImage {
  oci::Digest digest;  // what the reference points at, and what the signatures have to be of
  std::vector<Signature> signatures;

  [[nodiscard]] bool is_verified() const;
};

// Looks at every signature of exactly that manifest or index: one of an index says nothing of its images by themselves.
base::Result<SignedImage> read_signatures(const oci::Reference& image, const oci::PublicKey& key,
                                          registry::Client& registry, std::stop_token stop);

// Why such a signature does not count for the image; empty when it does. `signature` is in base64.
std::string problem_with_payload(std::string_view payload, std::string_view signature, const oci::Digest& image,
                                 const oci::PublicKey& key);
// The same for a bundle; `manifest` are the image's own bytes.
std::string problem_with_bundle(std::string_view bundle, std::string_view manifest, const oci::PublicKey& key);

}  // namespace deployctl::images
