// What differs between two states of an object, field by field, and who manages a field. List elements are matched by
// the keys the API server merges them by, not by their place; other lists are one value each.
#pragma once

#include "core/json/value.hpp"
#include "core/kube/object.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace deployctl::kube {

// A step into an object: the member of that name, or the list element with these identifying members.
struct ElementKey {
  json::Value members;  // {"name": "api"}, {"containerPort": 8080, "protocol": "TCP"}
  friend bool operator==(const ElementKey&, const ElementKey&) = default;
};
using FieldStep = std::variant<std::string, ElementKey>;
using FieldPath = std::vector<FieldStep>;

// "spec.template.spec.containers[api].image"
std::string to_string(const FieldPath& path);

struct FieldChange {
  FieldPath path;
  std::optional<json::Value> before;  // nothing: it is not there
  std::optional<json::Value> after;
};

// Changes from one body to another, in the order of the fields. What the server writes by itself (status, versions,
// managed fields) is left out. A subtree that only one side has is one change.
std::vector<FieldChange> field_changes(const json::Value& before, const json::Value& after);

// The value at a path; null when there is nothing.
const json::Value* find_value(const json::Value& body, const FieldPath& path);
// The value at a path, made where there is nothing: list elements with what identifies them, everything else null.
// Lists on the way must be ones whose elements are merged.
json::Value& make_value(json::Value& body, const FieldPath& path);

struct FieldManager {
  std::string name;       // "kubectl-edit"
  std::string time;       // RFC 3339, of its last change to the object
  bool is_apply = false;  // by server-side apply; otherwise by an update or patch
  std::string subresource;

  friend bool operator==(const FieldManager&, const FieldManager&) = default;
};

// Those who manage the field or something below it, the latest first. Nobody: the server's default, or it is not there.
std::vector<FieldManager> managers_of(const json::Value& body, const FieldPath& path);

// Fields that only managers other than `ours` and the controllers of Kubernetes itself own, as paths: what somebody
// added. Status is left out.
std::vector<FieldPath> foreign_fields(const json::Value& body, std::string_view ours);

// The leaves of what the manager has set by server-side apply.
std::vector<FieldPath> applied_fields(const json::Value& body, std::string_view manager);

// The value as it may be shown: compact text, what a Secret holds as "***".
std::string shown_value(std::string_view kind, const FieldPath& path, const json::Value& value);

}  // namespace deployctl::kube
