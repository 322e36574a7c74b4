// What a repository holds before an image is pushed to it, found out with few questions.
#pragma once

#include "core/registry/session.hpp"

#include <set>
#include <span>
#include <string>

namespace deployctl::registry {

struct Before {
  bool is_same = false;           // the tag points at our image already; the rest is not known then
  bool exists = true;             // the repository, as far as we know
  bool is_far = true;             // the registry, as far as we know
  std::set<oci::Digest> known;    // blobs and manifests that are there for certain
  std::set<oci::Digest> missing;  // blobs that are not
};

struct Pushed {
  const oci::Digest& digest;  // of what the tag is to point at
  const std::string& tag;
  std::span<const oci::Descriptor> blobs;  // in the order in which they would be sent: the largest layer first
};

base::Result<Before> look_before(Session& session, const Pushed& image, std::stop_token stop);

// Small blobs are sent without asking, as the question costs as much as the answer saves.
bool is_worth_asking(const oci::Descriptor& blob);

}  // namespace deployctl::registry
