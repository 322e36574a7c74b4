// Revisions as `kubectl rollout history` sees them (kubectl/pkg/polymorphichelpers/rollback.go):
// the numbers are annotations the deployment controller writes on its replica sets.
#include "core/kube/history.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/kube/decode.hpp"

#include <algorithm>
#include <set>

namespace deployctl::kube {
namespace {

std::optional<long long> revision_number(const Object& object) {
  const auto text = json::Reader(object.body).at("metadata", "annotations", revision_annotation).string_or();
  return base::parse_integer(text);
}

std::string change_cause(const Object& object) {
  return json::Reader(object.body).at("metadata", "annotations", change_cause_annotation).string_or();
}

bool is_owned_by(const Object& replica_set, std::string_view uid) {
  return !uid.empty() && controller_uid(json::Reader(replica_set.body).at("metadata")) == uid;
}

std::vector<std::string> images_of(const Object& object) {
  std::vector<std::string> images;
  for (const auto& container : json::Reader(object.body).at("spec", "template", "spec", "containers").elements()) {
    images.push_back(container.at("image").string_or());
  }
  return images;
}

TemplateHash template_of(const Object& object) {
  return hash_of_template(json::Reader(object.body).at("spec", "template"));
}

}  // namespace

std::vector<Revision> revisions(const Object& deployment, std::span<const Object> replica_sets) {
  const auto uid = json::Reader(deployment.body).at("metadata", "uid").string_or();
  const auto current = template_of(deployment);
  std::vector<Revision> found;
  for (const auto& replica_set : replica_sets) {
    const auto number = revision_number(replica_set);
    if (!number || !is_owned_by(replica_set, uid)) {
      continue;
    }
    const json::Reader root(replica_set.body);
    found.push_back({.number = *number,
                     .replica_set = replica_set.name(),
                     .change_cause = change_cause(replica_set),
                     .created = root.at("metadata", "creationTimestamp").string_or(),
                     .images = images_of(replica_set),
                     .replicas = static_cast<int>(root.at("status", "replicas").integer_or()),
                     .is_current = template_of(replica_set) == current});
  }
  std::ranges::sort(found, {}, &Revision::number);
  return found;
}

std::string runs_since(const Object& deployment, std::span<const Object> replica_sets, std::span<const Object> pods) {
  const auto uid = json::Reader(deployment.body).at("metadata", "uid").string_or();
  const auto current = template_of(deployment);
  std::set<std::string> owners;
  for (const auto& replica_set : replica_sets) {
    if (is_owned_by(replica_set, uid) && template_of(replica_set) == current) {
      owners.insert(json::Reader(replica_set.body).at("metadata", "uid").string_or());
    }
  }
  std::string since;
  for (const auto& pod : pods) {
    const auto metadata = json::Reader(pod.body).at("metadata");
    const auto created = metadata.at("creationTimestamp").string_or();
    const bool counts = owners.contains(controller_uid(metadata)) && !metadata.at("deletionTimestamp").exists();
    if (counts && (since.empty() || created < since)) {
      since = created;
    }
  }
  return since;
}

json::Value restart_patch(std::string_view time) {
  json::Value annotations = {{std::string(restarted_at_annotation), std::string(time)}};
  return {{"spec", {{"template", {{"metadata", {{"annotations", std::move(annotations)}}}}}}}};
}

}  // namespace deployctl::kube
