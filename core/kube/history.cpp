// Revisions and undo as `kubectl rollout history` and `undo` see them (kubectl/pkg/polymorphichelpers/rollback.go):
// the numbers are annotations the deployment controller writes on its replica sets.
#include "core/kube/history.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/kube/decode.hpp"

#include <algorithm>

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

json::Value clean_template(const Object& replica_set) {
  auto pod_template = replica_set.body.at("spec").at("template");
  if (auto metadata = pod_template.find("metadata"); metadata != pod_template.end()) {
    metadata->erase("creationTimestamp");
    if (auto labels = metadata->find("labels"); labels != metadata->end()) {
      labels->erase("pod-template-hash");
    }
  }
  return pod_template;
}

// The deployment controller copies a deployment's annotations to its replica sets and adds its own.
json::Value own_annotations(const Object& replica_set) {
  auto annotations = json::Value::object();
  for (const auto& [key, value] : json::Reader(replica_set.body).at("metadata", "annotations").members()) {
    if (!key.starts_with("deployment.kubernetes.io/") && key != "kubectl.kubernetes.io/last-applied-configuration") {
      annotations[key] = *value.value();
    }
  }
  return annotations;
}

std::string numbers_in_words(const std::vector<Revision>& all) {
  std::vector<std::string> numbers;
  std::ranges::transform(all, std::back_inserter(numbers),
                         [](const Revision& revision) { return std::to_string(revision.number); });
  return numbers.empty() ? "none" : base::join(numbers, ", ");
}

const Revision* find_revision(const std::vector<Revision>& all, long long number) {
  const auto found = std::ranges::find(all, number, &Revision::number);
  return found == all.end() ? nullptr : &*found;
}

// The newest that is not the current one.
const Revision* earlier_revision(const std::vector<Revision>& all) {
  const auto found = std::find_if(all.rbegin(), all.rend(), [](const Revision& each) { return !each.is_current; });
  return found == all.rend() ? nullptr : &*found;
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

base::Result<Undo> undo(const Object& deployment, std::span<const Object> replica_sets, std::optional<long long> to) {
  const auto name = to_string(deployment.key());
  if (json::Reader(deployment.body).at("spec", "paused").boolean_or()) {
    return base::Error::refused("{} is paused and cannot be undone", name)
        .with_hint("resume it first: kubectl rollout resume {}", name);
  }
  const auto all = revisions(deployment, replica_sets);
  const auto* wanted = to ? find_revision(all, *to) : earlier_revision(all);
  if (wanted == nullptr) {
    return to ? base::Error::not_found("{} has no revision {}", name, *to)
                    .with_hint("there are: {}", numbers_in_words(all))
              : base::Error::not_found("{} has no earlier revision to go back to", name);
  }
  if (wanted->is_current) {
    return base::Error::refused("{} is at revision {} already", name, wanted->number);
  }
  const auto source = std::ranges::find(replica_sets, wanted->replica_set, &Object::name);
  return Undo{.from = revision_number(deployment).value_or(0),
              .to = wanted->number,
              .pod_template = clean_template(*source),
              .annotations = own_annotations(*source)};
}

Object undone(const Object& deployment, const Undo& undo) {
  const json::Reader live(deployment.body);
  json::Value metadata = {{"name", deployment.name()},
                          {"namespace", deployment.name_space()},
                          {"resourceVersion", live.at("metadata", "resourceVersion").string_or()}};
  if (const auto labels = live.at("metadata", "labels"); labels.is_object()) {
    metadata["labels"] = *labels.value();
  }
  if (!undo.annotations.empty()) {
    metadata["annotations"] = undo.annotations;
  }
  auto spec = live.at("spec").is_object() ? *live.at("spec").value() : json::Value::object();
  spec["template"] = undo.pod_template;
  return {.body = {{"apiVersion", deployment.api_version()},
                   {"kind", deployment.kind()},
                   {"metadata", std::move(metadata)},
                   {"spec", std::move(spec)}}};
}

json::Value restart_patch(std::string_view time) {
  json::Value annotations = {{std::string(restarted_at_annotation), std::string(time)}};
  return {{"spec", {{"template", {{"metadata", {{"annotations", std::move(annotations)}}}}}}}};
}

}  // namespace deployctl::kube
