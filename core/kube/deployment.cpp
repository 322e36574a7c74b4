#include "core/kube/deployment.hpp"

#include "core/json/reader.hpp"
#include "core/kube/decode.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

namespace deployctl::kube {
namespace {

constexpr std::string_view revision_key = "deployment.kubernetes.io/revision";
constexpr std::string_view controller_manager = "kube-controller-manager";

int number(json::Reader reader, int fallback = 0) {
  return static_cast<int>(reader.integer_or(fallback));
}

}  // namespace

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

std::vector<Condition> read_conditions(json::Reader conditions) {
  std::vector<Condition> found;
  for (const auto& condition : conditions.elements()) {
    found.push_back({.type = condition.at("type").string_or(),
                     .status = condition.at("status").string_or(),
                     .reason = condition.at("reason").string_or(),
                     .message = condition.at("message").string_or(),
                     .since = condition.at("lastTransitionTime").string_or()});
  }
  return found;
}

// managedFields has one entry for each manager and subresource, with the time of its newest write; the controller's are
// no change of anybody's mind.
Write newest_write(json::Reader metadata) {
  Write newest;
  for (const auto& entry : metadata.at("managedFields").elements()) {
    const auto manager = entry.at("manager").string_or();
    const auto time = entry.at("time").string_or();
    if (manager != controller_manager && entry.at("subresource").string_or() != "status" && time >= newest.time) {
      newest = {.manager = manager, .time = time};
    }
  }
  return newest;
}

std::string controller_uid(json::Reader metadata) {
  for (const auto& owner : metadata.at("ownerReferences").elements()) {
    if (owner.at("controller").boolean_or()) {
      return owner.at("uid").string_or();
    }
  }
  return {};
}

TemplateHash template_hash(const json::Value& pod_template) {
  auto copy = pod_template;
  if (auto metadata = copy.find("metadata"); metadata != copy.end() && metadata->is_object()) {
    if (auto labels = metadata->find("labels"); labels != metadata->end() && labels->is_object()) {
      labels->erase("pod-template-hash");
    }
    metadata->erase("creationTimestamp");
  }
  return std::hash<std::string>{}(json::to_canonical_text(copy));
}

TemplateHash hash_of_template(json::Reader pod_template) {
  return pod_template.exists() ? template_hash(*pod_template.value()) : 0;
}

Deployment Deployment::from_json(const json::Value& body) {
  const json::Reader root(body);
  const auto metadata = root.at("metadata");
  const auto spec = root.at("spec");
  const auto status = root.at("status");
  return {.name = metadata.at("name").string_or(),
          .name_space = metadata.at("namespace").string_or(),
          .uid = metadata.at("uid").string_or(),
          .resource_version = metadata.at("resourceVersion").string_or(),
          .last_writer = newest_write(metadata).manager,
          .generation = metadata.at("generation").integer_or(),
          .observed_generation = status.at("observedGeneration").integer_or(),
          .desired = number(spec.at("replicas"), 1),
          .replicas = number(status.at("replicas")),
          .updated = number(status.at("updatedReplicas")),
          .ready = number(status.at("readyReplicas")),
          .available = number(status.at("availableReplicas")),
          .is_paused = spec.at("paused").boolean_or(),
          .is_terminating = metadata.at("deletionTimestamp").string().has_value(),
          .pod_template = hash_of_template(spec.at("template")),
          .revision = metadata.at("annotations", revision_key).string_or(),
          .conditions = read_conditions(status.at("conditions"))};
}

ReplicaSet ReplicaSet::from_json(const json::Value& body) {
  const json::Reader root(body);
  const auto metadata = root.at("metadata");
  const auto spec = root.at("spec");
  return {.name = metadata.at("name").string_or(),
          .uid = metadata.at("uid").string_or(),
          .owner_uid = controller_uid(metadata),
          .created = metadata.at("creationTimestamp").string_or(),
          .revision = metadata.at("annotations", revision_key).string_or(),
          .pod_template_hash = metadata.at("labels", "pod-template-hash").string_or(),
          .desired = number(spec.at("replicas"), 1),
          .replicas = number(root.at("status", "replicas")),
          .pod_template = hash_of_template(spec.at("template")),
          .conditions = read_conditions(root.at("status", "conditions"))};
}

StatefulSet StatefulSet::from_json(const json::Value& body) {
  const json::Reader root(body);
  const auto metadata = root.at("metadata");
  const auto spec = root.at("spec");
  const auto status = root.at("status");
  const int ready = number(status.at("readyReplicas"));
  return {.name = metadata.at("name").string_or(),
          .uid = metadata.at("uid").string_or(),
          .generation = metadata.at("generation").integer_or(),
          .observed_generation = status.at("observedGeneration").integer_or(),
          .desired = number(spec.at("replicas"), 1),
          .replicas = number(status.at("replicas")),
          .updated = number(status.at("updatedReplicas")),
          .ready = ready,
          .available = number(status.at("availableReplicas"), ready),
          .partition = number(spec.at("updateStrategy", "rollingUpdate", "partition")),
          .is_on_delete = spec.at("updateStrategy", "type").string_or() == "OnDelete",
          .current_revision = status.at("currentRevision").string_or(),
          .update_revision = status.at("updateRevision").string_or()};
}

}  // namespace deployctl::kube
