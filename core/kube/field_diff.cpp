// The form of managedFields is FieldsV1 (structured-merge-diff): "f:name" is a member, "k:{…}" the list element with
// these members, "v:…" an element of a set, "." the thing itself; an empty object is a leaf, which owns all below it.
#include "core/kube/field_diff.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/json/path.hpp"
#include "core/json/reader.hpp"

#include <algorithm>
#include <array>

namespace deployctl::kube {
namespace {

using json::Value;

// A list whose elements are merged by these members (the API's x-kubernetes-list-map-keys); the first of the keys is
// what people call the element by.
struct MergedList {
  std::string_view name;    // of the member that holds it
  std::string_view parent;  // of the member around that; empty: any
  std::vector<std::string> keys;
  std::string_view default_member = {};  // which may be absent,
  std::string_view default_value = {};   // and what it is then
};

const std::vector<MergedList>& merged_lists() {
  static const std::vector<MergedList> lists{
      {"containers", "", {"name"}},
      {"initContainers", "", {"name"}},
      {"env", "", {"name"}},
      {"volumes", "", {"name"}},
      {"imagePullSecrets", "", {"name"}},
      {"secrets", "", {"name"}},
      {"volumeMounts", "", {"mountPath"}},
      {"topologySpreadConstraints", "", {"topologyKey", "whenUnsatisfiable"}},
      {"hostAliases", "", {"ip"}},
      {"ownerReferences", "", {"uid"}},
      {"ports", "containers", {"containerPort", "protocol"}, "protocol", "TCP"},
      {"ports", "initContainers", {"containerPort", "protocol"}, "protocol", "TCP"},
      {"ports", "spec", {"port", "protocol"}, "protocol", "TCP"},
  };
  return lists;
}

const MergedList* find_merged_list(const FieldPath& path) {
  std::vector<std::string_view> names;
  for (const auto& step : path) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      names.push_back(*name);
    }
  }
  if (names.empty()) {
    return nullptr;
  }
  const auto parent = names.size() > 1 ? names[names.size() - 2] : std::string_view();
  const auto& lists = merged_lists();
  const auto found = std::ranges::find_if(lists, [&](const MergedList& list) {
    return list.name == names.back() && (list.parent.empty() || list.parent == parent);
  });
  return found == lists.end() ? nullptr : &*found;
}

std::optional<ElementKey> key_of(const MergedList& list, const Value& element) {
  if (!element.is_object()) {
    return std::nullopt;
  }
  ElementKey key{.members = Value::object()};
  for (const auto& name : list.keys) {
    if (const auto found = element.find(name); found != element.end()) {
      key.members[name] = *found;
    } else if (name == list.default_member) {
      key.members[name] = std::string(list.default_value);
    } else {
      return std::nullopt;
    }
  }
  return key;
}

// The keys of all elements, when each has one and no two are the same.
std::optional<std::vector<ElementKey>> keys_of(const MergedList& list, const Value& array) {
  std::vector<ElementKey> keys;
  for (const auto& element : array) {
    auto key = key_of(list, element);
    if (!key || std::ranges::find(keys, *key) != keys.end()) {
      return std::nullopt;
    }
    keys.push_back(std::move(*key));
  }
  return keys;
}

FieldPath below(const FieldPath& path, FieldStep step) {
  auto longer = path;
  longer.push_back(std::move(step));
  return longer;
}

class Comparison {
 public:
  void compare(const FieldPath& path, const Value& before, const Value& after) {
    if (before == after) {
      return;
    }
    if (before.is_object() && after.is_object()) {
      compare_members(path, before, after);
      return;
    }
    const auto* list = find_merged_list(path);
    if (list != nullptr && before.is_array() && after.is_array()) {
      const auto before_keys = keys_of(*list, before);
      const auto after_keys = keys_of(*list, after);
      if (before_keys && after_keys) {
        compare_elements(path, before, *before_keys, after, *after_keys);
        return;
      }
    }
    changes_.push_back({path, before, after});
  }

  std::vector<FieldChange> take() { return std::move(changes_); }

 private:
  void compare_members(const FieldPath& path, const Value& before, const Value& after) {
    for (const auto& [name, value] : before.items()) {
      const auto found = after.find(name);
      if (found != after.end()) {
        compare(below(path, name), value, *found);
      } else {
        changes_.push_back({below(path, name), value, std::nullopt});
      }
    }
    for (const auto& [name, value] : after.items()) {
      if (!before.contains(name)) {
        changes_.push_back({below(path, name), std::nullopt, value});
      }
    }
  }

  void compare_elements(const FieldPath& path, const Value& before, const std::vector<ElementKey>& before_keys,
                        const Value& after, const std::vector<ElementKey>& after_keys) {
    const auto size = changes_.size();
    for (std::size_t i = 0; i < before_keys.size(); ++i) {
      const auto at = std::ranges::find(after_keys, before_keys[i]);
      if (at != after_keys.end()) {
        compare(below(path, before_keys[i]), before[i], after[static_cast<std::size_t>(at - after_keys.begin())]);
      } else {
        changes_.push_back({below(path, before_keys[i]), before[i], std::nullopt});
      }
    }
    for (std::size_t i = 0; i < after_keys.size(); ++i) {
      if (std::ranges::find(before_keys, after_keys[i]) == before_keys.end()) {
        changes_.push_back({below(path, after_keys[i]), std::nullopt, after[i]});
      }
    }
    if (size == changes_.size()) {
      changes_.push_back({path, before, after});  // their order alone: it means something to init containers and env
    }
  }

  std::vector<FieldChange> changes_;
};

Value without_bookkeeping(Value body) {
  body.erase("status");
  if (const auto metadata = body.find("metadata"); metadata != body.end() && metadata->is_object()) {
    for (const auto* field :
         {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}) {
      metadata->erase(field);
    }
  }
  return body;
}

std::string managed_key(const FieldStep& step) {
  return std::visit(base::Overloaded{
                        [](const std::string& name) { return "f:" + name; },
                        [](const ElementKey& key) { return "k:" + json::to_canonical_text(key.members); },
                    },
                    step);
}

// "k:" keys are JSON too, and compared as such.
std::string canonical_key(const std::string& key) {
  if (!key.starts_with("k:")) {
    return key;
  }
  const auto value = json::parse(std::string_view(key).substr(2), "a managed field");
  return value ? "k:" + json::to_canonical_text(*value) : key;
}

const Value* find_managed(const Value& fields, const std::string& key) {
  if (!fields.is_object()) {
    return nullptr;
  }
  for (const auto& [name, value] : fields.items()) {
    if (canonical_key(name) == key) {
      return &value;
    }
  }
  return nullptr;
}

bool owns(const Value& fields, const FieldPath& path) {
  const auto* at = &fields;
  for (const auto& step : path) {
    const auto* next = find_managed(*at, managed_key(step));
    if (next == nullptr) {
      const bool is_leaf = at != &fields && at->is_object() && at->empty();
      return is_leaf;
    }
    at = next;
  }
  return true;
}

FieldManager manager_in(const json::Reader& entry) {
  return {.name = entry.at("manager").string_or(),
          .time = entry.at("time").string_or(),
          .is_apply = entry.at("operation").string_or() == "Apply",
          .subresource = entry.at("subresource").string_or()};
}

std::vector<json::Reader> managed_fields(const Value& body) {
  return json::Reader(body).at("metadata", "managedFields").elements();
}

// What runs as part of Kubernetes itself writes status, revisions and replicas; before 1.22 its status is no
// subresource of its own in managedFields.
bool is_controller(std::string_view manager) {
  constexpr std::array<std::string_view, 4> names{"kube-controller-manager", "kube-scheduler", "kubelet",
                                                  "cloud-controller-manager"};
  return std::ranges::find(names, manager) != names.end();
}

void collect_leaves(const Value& fields, const FieldPath& path, std::vector<FieldPath>& leaves) {
  for (const auto& [name, value] : fields.items()) {
    if (name.starts_with("f:")) {
      const auto longer = below(path, name.substr(2));
      if (value.empty()) {
        leaves.push_back(longer);
      } else {
        collect_leaves(value, longer, leaves);
      }
    } else if (name.starts_with("k:")) {
      if (auto members = json::parse(std::string_view(name).substr(2), "a managed field")) {
        collect_leaves(value, below(path, ElementKey{.members = std::move(*members)}), leaves);
      }
    }
  }
}

bool is_name(const FieldStep& step, std::string_view name) {
  const auto* text = std::get_if<std::string>(&step);
  return text != nullptr && *text == name;
}

bool is_secret_value(std::string_view kind, const FieldPath& path) {
  return kind == "Secret" && !path.empty() && (is_name(path.front(), "data") || is_name(path.front(), "stringData"));
}

}  // namespace

std::string to_string(const FieldPath& path) {
  std::string text;
  for (const auto& step : path) {
    text =
        std::visit(base::Overloaded{
                       [&](const std::string& name) { return json::path_to_key(text, name); },
                       [&](const ElementKey& key) {
                         const auto& first = *key.members.begin();
                         return json::path_to_name(text, first.is_string() ? first.get<std::string>() : first.dump());
                       },
                   },
                   step);
  }
  return text;
}

std::vector<FieldChange> field_changes(const Value& before, const Value& after) {
  Comparison comparison;
  comparison.compare({}, without_bookkeeping(before), without_bookkeeping(after));
  return comparison.take();
}

const Value* find_value(const Value& body, const FieldPath& path) {
  const auto* at = &body;
  FieldPath so_far;
  for (const auto& step : path) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      const auto found = at->is_object() ? at->find(*name) : at->end();
      if (!at->is_object() || found == at->end()) {
        return nullptr;
      }
      at = &*found;
    } else {
      const auto* list = find_merged_list(so_far);
      if (list == nullptr || !at->is_array()) {
        return nullptr;
      }
      const auto found = std::ranges::find_if(
          *at, [&](const Value& element) { return key_of(*list, element) == std::get<ElementKey>(step); });
      if (found == at->end()) {
        return nullptr;
      }
      at = &*found;
    }
    so_far.push_back(step);
  }
  return at;
}

json::Value& make_value(Value& body, const FieldPath& path) {
  auto* at = &body;
  FieldPath so_far;
  for (const auto& step : path) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      at = &(*at)[*name];
    } else {
      const auto* list = find_merged_list(so_far);
      const auto& key = std::get<ElementKey>(step);
      auto found =
          std::ranges::find_if(*at, [&](const Value& element) { return list && key_of(*list, element) == key; });
      if (found == at->end()) {
        at->push_back(key.members);
        at = &at->back();
      } else {
        at = &*found;
      }
    }
    so_far.push_back(step);
  }
  return *at;
}

std::vector<FieldManager> managers_of(const Value& body, const FieldPath& path) {
  std::vector<FieldManager> managers;
  for (const auto& entry : managed_fields(body)) {
    if (const auto* fields = entry.at("fieldsV1").value(); fields != nullptr && owns(*fields, path)) {
      managers.push_back(manager_in(entry));
    }
  }
  std::ranges::stable_sort(managers, std::ranges::greater(), &FieldManager::time);
  return managers;
}

std::vector<FieldPath> foreign_fields(const Value& body, std::string_view ours) {
  std::vector<FieldPath> foreign;
  for (const auto& entry : managed_fields(body)) {
    const auto manager = manager_in(entry);
    const auto* fields = entry.at("fieldsV1").value();
    if (manager.name == ours || is_controller(manager.name) || !manager.subresource.empty() || fields == nullptr) {
      continue;
    }
    std::vector<FieldPath> leaves;
    collect_leaves(*fields, {}, leaves);
    for (auto& leaf : leaves) {
      const auto others = managers_of(body, leaf);
      const bool is_ours = std::ranges::any_of(others, [&](const FieldManager& each) { return each.name == ours; });
      if (!is_ours && !is_name(leaf.front(), "status") && std::ranges::find(foreign, leaf) == foreign.end()) {
        foreign.push_back(std::move(leaf));
      }
    }
  }
  return foreign;
}

std::vector<FieldPath> applied_fields(const Value& body, std::string_view manager) {
  std::vector<FieldPath> leaves;
  for (const auto& entry : managed_fields(body)) {
    const auto by = manager_in(entry);
    const auto* fields = entry.at("fieldsV1").value();
    if (by.name == manager && by.is_apply && by.subresource.empty() && fields != nullptr) {
      collect_leaves(*fields, {}, leaves);
    }
  }
  return leaves;
}

std::string shown_value(std::string_view kind, const FieldPath& path, const Value& value) {
  if (is_secret_value(kind, path)) {
    return "***";
  }
  return base::printable(json::to_compact_text(value));
}

}  // namespace deployctl::kube
