// What hangs on a manifest in a registry, asked before it is deleted.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/reference.hpp"
#include "core/registry/client.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::images {

struct Dependents {
  std::vector<std::string> tags;        // of the repository that point at it
  std::vector<std::string> index_tags;  // that point at an index which lists it
  std::vector<std::string> referrers;   // tags that keep what refers to it, or to the images of it when it is an index
  bool is_complete = true;              // false: the repository has more tags than were looked at
};

inline constexpr std::size_t most_tags_looked_at = 200;

// A registry cannot be asked what points at a manifest: every tag of the repository is looked at, up to
// most_tags_looked_at. not_found when the manifest is not there.
base::Result<Dependents> dependents_of(registry::Client& client, const oci::Reference& repository,
                                       const oci::Digest& digest, std::stop_token stop);

}  // namespace deployctl::images
