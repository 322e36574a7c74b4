#include "core/plan/expected.hpp"

#include "core/base/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace deployctl::plan {
namespace {

constexpr std::string_view our_manager = "deployctl";
constexpr std::size_t most_named_fields = 4;

bool is_step(const kube::FieldStep& step, std::string_view name) {
  const auto* text = std::get_if<std::string>(&step);
  return text != nullptr && *text == name;
}

bool is_in_pod_template(const kube::FieldPath& path) {
  return path.size() >= 2 && is_step(path[0], "spec") && is_step(path[1], "template");
}

bool is_replicas(const kube::FieldPath& path) {
  return path.size() == 2 && is_step(path[0], "spec") && is_step(path[1], "replicas");
}

// Where the object names a Secret's values they stand for themselves; in a Secret they stand for what must not be seen.
std::optional<json::Value> masked(const kube::Object& object, const kube::FieldPath& path,
                                  const std::optional<json::Value>& value) {
  if (!value || object.kind() != "Secret" || path.empty() ||
      !(is_step(path.front(), "data") || is_step(path.front(), "stringData"))) {
    return value;
  }
  return json::Value("***");
}

// The latest who is not us; nobody when the field is ours as well.
std::optional<kube::FieldManager> other_manager(const kube::Object& live, const kube::FieldPath& path) {
  const auto managers = kube::managers_of(live.body, path);
  const bool is_ours = std::ranges::any_of(managers, [](const auto& each) { return each.name == our_manager; });
  return is_ours || managers.empty() ? std::nullopt : std::optional(managers.front());
}

bool is_list_of_containers(const kube::FieldStep& step) {
  return is_step(step, "containers") || is_step(step, "initContainers");
}

// What has a name of its own says more than what changes in it, wherever that is: "env[LOG]", "volumes[data]".
std::optional<kube::FieldPath> named_thing(const kube::FieldPath& path) {
  for (std::size_t at = 1; at < path.size(); ++at) {
    if (std::holds_alternative<kube::ElementKey>(path[at]) && !is_list_of_containers(path[at - 1])) {
      return kube::FieldPath{path[at - 1], path[at]};
    }
  }
  return std::nullopt;
}

// The part of the path that says enough: "image", "env[LOG]".
std::string short_name(const kube::FieldPath& path) {
  if (const auto thing = named_thing(path)) {
    return kube::to_string(*thing);
  }
  auto at = path.size() - 1;
  while (at > 0 && std::holds_alternative<kube::ElementKey>(path[at])) {
    --at;
  }
  return kube::to_string(kube::FieldPath(path.begin() + static_cast<std::ptrdiff_t>(at), path.end()));
}

std::string short_names(const std::vector<ExpectedField>& fields) {
  std::vector<std::string> names;
  for (const auto& field : fields) {
    auto name = short_name(field.path);
    if (is_in_pod_template(field.path) && std::ranges::find(names, name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  const auto more = names.size() > most_named_fields ? names.size() - most_named_fields : 0;
  names.resize(names.size() - more);
  return base::join(names, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string text_of(const std::optional<json::Value>& value) {
  return value ? json::to_compact_text(*value) : "the default";
}

std::string changed_by_others(const std::vector<ExpectedField>& fields) {
  std::set<std::string> names;
  for (const auto& field : fields) {
    if (field.manager) {
      names.insert(field.manager->name);
    }
  }
  const std::vector<std::string> list(names.begin(), names.end());
  return list.empty() ? "" : fmt::format("{} has changed it: takes --take-over", base::join(list, " and "));
}

}  // namespace

ExpectedChange expected_change(const kube::Object* live, const kube::Object& applied) {
  ExpectedChange expected;
  if (live == nullptr) {
    expected.change = Change::create;
    return expected;
  }
  const auto uid = kube::find_value(live->body, {"metadata", "uid"});
  expected.uid = uid != nullptr && uid->is_string() ? uid->get<std::string>() : "";
  for (const auto& change : kube::field_changes(live->body, applied.body)) {
    expected.fields.push_back({.path = change.path,
                               .before = masked(applied, change.path, change.before),
                               .after = masked(applied, change.path, change.after),
                               .manager = other_manager(*live, change.path)});
  }
  expected.change = expected.fields.empty() ? Change::none : Change::update;
  return expected;
}

bool replaces_pods(const kube::ObjectKey& key, const ExpectedChange& expected) {
  const bool is_workload = key.kind == "Deployment" || key.kind == "StatefulSet";
  return is_workload &&
         std::ranges::any_of(expected.fields, [](const auto& field) { return is_in_pod_template(field.path); });
}

bool needs_take_over(const ExpectedChange& expected) {
  return std::ranges::any_of(expected.fields, [](const auto& field) { return field.manager.has_value(); });
}

std::string reason_for(const kube::ObjectKey& key, const ExpectedChange& expected) {
  if (expected.change == Change::create) {
    return "new";
  }
  std::vector<std::string> reasons;
  if (replaces_pods(key, expected)) {
    reasons.push_back("replaces the pods: " + short_names(expected.fields));
  }
  for (const auto& field : expected.fields) {
    if (is_replicas(field.path)) {
      reasons.push_back(fmt::format("scales from {} to {}", text_of(field.before), text_of(field.after)));
    }
  }
  if (const auto taken = changed_by_others(expected.fields); !taken.empty()) {
    reasons.push_back(taken);
  }
  const bool is_workload = key.kind == "Deployment" || key.kind == "StatefulSet";
  if (reasons.empty() && is_workload && expected.change == Change::update) {
    reasons.emplace_back("its pods stay");
  }
  return base::join(reasons, "; ");
}

}  // namespace deployctl::plan
