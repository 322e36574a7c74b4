#include "core/images/removal.hpp"

#include "core/images/tag_order.hpp"
#include "core/oci/image.hpp"
#include "core/registry/referrers.hpp"

#include <algorithm>
#include <iterator>

namespace deployctl::images {
namespace {

using base::Result;
using base::Status;

bool lists(const registry::RemoteDocument& document, const oci::Digest& digest) {
  const auto parsed = oci::parse_document(document.bytes, document.media_type);
  const auto* index = parsed ? std::get_if<oci::ImageIndex>(&*parsed) : nullptr;
  return index != nullptr &&
         std::ranges::find(index->manifests, digest, &oci::Descriptor::digest) != index->manifests.end();
}

bool contains(const std::vector<std::string>& tags, const std::string& tag) {
  return std::ranges::find(tags, tag) != tags.end();
}

// Those of `tags` that point at the manifest, or at an index that lists it.
Status add_pointing(registry::Client& client, const oci::Reference& repository, const oci::Digest& digest,
                    const std::vector<std::string>& tags, Dependents& dependents, std::stop_token stop) {
  for (const auto& tag : tags) {
    const auto document = client.manifest(repository.with_tag(tag), stop);
    if (!document) {
      if (document.error().code == base::ErrorCode::not_found) {
        continue;  // deleted meanwhile, or a tag that leads nowhere
      }
      return document.error();
    }
    if (document->digest == digest) {
      dependents.tags.push_back(tag);
    } else if (!is_referrer_tag(tag) && lists(*document, digest)) {
      dependents.index_tags.push_back(tag);
    }
  }
  return {};
}

// Those of the tags that tools keep for the document, or for what it lists.
std::vector<std::string> tags_about(const registry::RemoteDocument& document,
                                    const std::vector<std::string>& referrer_tags) {
  std::vector<std::string> starts{registry::fallback_tag(document.digest)};
  const auto parsed = oci::parse_document(document.bytes, document.media_type);
  if (const auto* index = parsed ? std::get_if<oci::ImageIndex>(&*parsed) : nullptr; index != nullptr) {
    for (const auto& entry : index->manifests) {
      starts.push_back(registry::fallback_tag(entry.digest));
    }
  }
  std::vector<std::string> found;
  std::ranges::copy_if(referrer_tags, std::back_inserter(found), [&](const std::string& tag) {
    return std::ranges::any_of(starts, [&](const auto& start) { return tag.starts_with(start); });
  });
  return found;
}

}  // namespace

Result<Dependents> dependents_of(registry::Client& client, const oci::Reference& repository, const oci::Digest& digest,
                                 std::stop_token stop) {
  const auto tags = client.tags(repository, stop);
  const auto document = tags ? client.manifest(repository.with_digest(digest), stop) : tags.error();
  if (!document) {
    return document.error();
  }
  const auto sorted = in_order(*tags);
  auto names = sorted.names;
  names.insert(names.end(), sorted.referrers.begin(), sorted.referrers.end());
  Dependents dependents{.is_complete = names.size() <= most_tags_looked_at};
  names.resize(std::min(names.size(), most_tags_looked_at));
  if (const auto added = add_pointing(client, repository, digest, names, dependents, stop); !added) {
    return added.error();
  }
  dependents.referrers = tags_about(*document, sorted.referrers);
  std::erase_if(dependents.referrers, [&](const auto& tag) { return contains(dependents.tags, tag); });
  return dependents;
}

}  // namespace deployctl::images
