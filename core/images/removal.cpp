#include "core/images/removal.hpp"

#include "core/oci/image.hpp"

#include <algorithm>
#include <span>

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

}  // namespace

Result<Dependents> dependents_of(registry::Client& client, const oci::Reference& repository, const oci::Digest& digest,
                                 std::stop_token stop) {
  const auto tags = client.tags(repository, stop);
  if (!tags) {
    return tags.error();
  }
  auto sorted = *tags;
  std::ranges::sort(sorted);
  Dependents dependents{.is_complete = tags->size() <= most_tags_looked_at};
  for (const auto& tag : std::span(sorted).first(std::min(sorted.size(), most_tags_looked_at))) {
    auto reference = repository.with_tag(tag);
    reference.digest.reset();
    const auto document = client.manifest(reference, stop);
    if (!document) {
      if (document.error().code == base::ErrorCode::not_found) {
        continue;  // deleted meanwhile, or a tag that leads nowhere
      }
      return document.error();
    }
    if (document->digest == digest) {
      dependents.tags.push_back(tag);
    } else if (lists(*document, digest)) {
      dependents.index_tags.push_back(tag);
    }
  }
  return dependents;
}

}  // namespace deployctl::images
