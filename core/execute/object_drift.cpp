#include "core/execute/object_drift.hpp"

#include "core/cluster/client.hpp"
#include "core/kube/dropped_fields.hpp"
#include "core/kube/field_diff.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using Kind = Difference::Kind;

bool is_in_metadata(const kube::FieldPath& path) {
  const auto* first = path.empty() ? nullptr : std::get_if<std::string>(&path.front());
  return first != nullptr && *first == "metadata";
}

// What gives a canary its share, and keeps the stable pods as many as they are, as long as it is open.
bool is_lent_to_canary(std::string_view kind, const std::string& field) {
  return (kind == "Service" && (field.starts_with("spec.selector") || field.ends_with(".targetPort"))) ||
         (kind == "HTTPRoute" && field.starts_with("spec.rules")) ||
         (kind == "VirtualService" && field.starts_with("spec.http")) ||
         (kind == "HorizontalPodAutoscaler" && field == "spec.minReplicas");
}

bool counts(const ObjectStates& states, const std::string& field) {
  const bool is_scaled = states.has_autoscaler && field == "spec.replicas";
  return !is_scaled && !(states.has_canary && is_lent_to_canary(states.wanted.kind(), field));
}

void add_manager(const kube::Object& live, const kube::FieldPath& path, Difference& difference) {
  if (const auto managers = kube::managers_of(live.body, path); !managers.empty()) {
    difference.manager = managers.front().name;
    difference.time = managers.front().time;
  }
}

Difference difference(const ObjectStates& states, Kind kind, const kube::FieldPath& path,
                      const std::optional<json::Value>& live, const std::optional<json::Value>& wanted) {
  const auto shown = [&](const std::optional<json::Value>& value) {
    return value ? kube::shown_value(states.wanted.kind(), path, *value) : std::string();
  };
  Difference found{.kind = kind,
                   .service = states.service,
                   .object = kube::to_string(states.wanted.key()),
                   .field = kube::to_string(path),
                   .live = shown(live),
                   .wanted = shown(wanted),
                   .manager = {},
                   .time = {}};
  add_manager(states.live, path, found);
  return found;
}

bool is_told(const std::string& field, const std::vector<Difference>& differences) {
  return std::ranges::any_of(differences, [&](const Difference& each) {
    return field == each.field || field.starts_with(each.field + ".") || field.starts_with(each.field + "[");
  });
}

// Labels and annotations are where controllers keep what they have to remember.
std::vector<kube::FieldPath> added_to(const ObjectStates& states, const std::vector<Difference>& differences) {
  auto added = kube::added_fields(states.live.body, states.wanted.body, cluster::field_manager);
  std::erase_if(added, [&](const kube::FieldPath& path) {
    return is_in_metadata(path) || is_told(kube::to_string(path), differences);
  });
  return added;
}

}  // namespace

ObjectDrift object_drift(const ObjectStates& states, const std::string& context) {
  ObjectDrift drift;
  for (const auto& [path, before, after] : kube::field_changes(states.live.body, states.applied.body)) {
    if (counts(states, kube::to_string(path))) {
      drift.differences.push_back(difference(states, before ? Kind::changed : Kind::missing, path, before, after));
    }
  }
  const auto added = added_to(states, drift.differences);
  for (const auto& path : added) {
    drift.differences.push_back(
        difference(states, Kind::added, path, *kube::find_value(states.live.body, path), std::nullopt));
  }
  drift.removal = removal_of(states.live.key(), added, context);
  return drift;
}

Difference missing_object(const std::string& service, const std::string& object) {
  return {.kind = Kind::missing,
          .service = service,
          .object = object,
          .field = {},
          .live = {},
          .wanted = "there",
          .manager = {},
          .time = {}};
}

Difference extra_object(const kube::Object& live) {
  Difference extra{.kind = Kind::extra,
                   .service = {},
                   .object = kube::to_string(live.key()),
                   .field = {},
                   .live = "there",
                   .wanted = {},
                   .manager = {},
                   .time = {}};
  add_manager(live, {"spec"}, extra);
  return extra;
}

}  // namespace deployctl::execute
