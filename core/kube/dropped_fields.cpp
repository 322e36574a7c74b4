// Server-side apply removes the leaves that its manager has set and does not say any more. What the server has added by
// default stays, and a probe is then one without a handler, a volume one with two sources: invalid. Up to Kubernetes
// 1.20 it does not even help to own the defaults.
#include "core/kube/dropped_fields.hpp"

#include "core/json/reader.hpp"

#include <algorithm>
#include <array>

namespace deployctl::kube {
namespace {

using json::Value;

// Maps in which everybody keeps something.
constexpr std::array<std::string_view, 8> free_maps{"labels", "annotations", "nodeSelector", "matchLabels",
                                                    "data",   "binaryData",  "limits",       "requests"};

bool is_free_map(const FieldPath& path) {
  const auto* name = path.empty() ? nullptr : std::get_if<std::string>(&path.back());
  return name != nullptr && std::ranges::find(free_maps, *name) != free_maps.end();
}

FieldPath first_steps(const FieldPath& path, std::size_t count) {
  return {path.begin(), path.begin() + static_cast<std::ptrdiff_t>(count)};
}

// Somebody else who has set the field or a part of it; empty when there is nobody.
std::string other_manager(const Value& live, const FieldPath& path, std::string_view manager) {
  const auto managers = managers_of(live, path);
  const auto other = std::ranges::find_if(managers, [&](const FieldManager& each) { return each.name != manager; });
  return other == managers.end() ? "" : other->name;
}

// The beginnings of the path that `live` has and `wanted` has not, the shortest first.
std::vector<FieldPath> dropped_beginnings(const Value& live, const Value& wanted, const FieldPath& leaf) {
  std::vector<FieldPath> beginnings;
  for (std::size_t count = 1; count <= leaf.size(); ++count) {
    auto path = first_steps(leaf, count);
    if (find_value(wanted, path) == nullptr && find_value(live, path) != nullptr && !is_free_map(path)) {
      beginnings.push_back(std::move(path));
    }
  }
  return beginnings;
}

bool is_managed_by(const Value& live, const FieldPath& path, std::string_view manager) {
  const auto managers = managers_of(live, path);
  return std::ranges::find(managers, manager, &FieldManager::name) != managers.end();
}

void mark_removed(Value& patch, const std::vector<FieldPath>& fields) {
  for (const auto& path : fields) {
    auto& place = make_value(patch, path);
    if (std::holds_alternative<ElementKey>(path.back())) {
      place["$patch"] = "delete";
    } else {
      place = nullptr;
    }
  }
}

bool is_update_of(const Value& entry, std::string_view manager) {
  const json::Reader reader(entry);
  return reader.at("manager").string_or() == manager && reader.at("operation").string_or() == "Update" &&
         !reader.at("subresource").exists();
}

const Value& managed_fields(const Value& body) {
  static const Value none = Value::array();
  const auto* fields = find_value(body, {"metadata", "managedFields"});
  return fields != nullptr && fields->is_array() ? *fields : none;
}

// The manager's updates by the same version of the API; null when it had made none.
const Value* same_update(const Value& before, const Value& entry, std::string_view manager) {
  const auto& entries = managed_fields(before);
  const auto found = std::ranges::find_if(entries, [&](const Value& each) {
    return is_update_of(each, manager) && each.value("apiVersion", "") == entry.value("apiVersion", "");
  });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

std::vector<FieldPath> dropped_fields(const Value& live, const Value& wanted, std::string_view manager) {
  std::vector<FieldPath> dropped;
  for (const auto& leaf : applied_fields(live, manager)) {
    const auto parts = dropped_beginnings(live, wanted, leaf);
    const auto part =
        std::ranges::find_if(parts, [&](const FieldPath& each) { return other_manager(live, each, manager).empty(); });
    if (part != parts.end() && std::ranges::find(dropped, *part) == dropped.end()) {
      dropped.push_back(*part);
    }
  }
  return dropped;
}

std::vector<HeldField> held_fields(const Value& live, const Value& wanted, std::string_view manager) {
  std::vector<HeldField> held;
  for (const auto& leaf : applied_fields(live, manager)) {
    const auto parts = dropped_beginnings(live, wanted, leaf);
    const auto other = parts.empty() ? std::string() : other_manager(live, parts.front(), manager);
    if (!other.empty() && std::ranges::find(held, parts.front(), &HeldField::path) == held.end()) {
      held.push_back({parts.front(), other});
    }
  }
  return held;
}

std::vector<FieldPath> added_fields(const Value& live, const Value& wanted, std::string_view manager) {
  std::vector<FieldPath> added;
  for (const auto& leaf : foreign_fields(live, manager)) {
    const auto is_added = [&](const FieldPath& part) {
      const bool is_list = part.size() < leaf.size() && std::holds_alternative<ElementKey>(leaf[part.size()]);
      return !is_list && !is_managed_by(live, part, manager);
    };
    const auto parts = dropped_beginnings(live, wanted, leaf);
    const auto part = std::ranges::find_if(parts, is_added);
    if (part != parts.end() && std::ranges::find(added, *part) == added.end()) {
      added.push_back(*part);
    }
  }
  return added;
}

Value patch_removing(const std::vector<FieldPath>& fields) {
  auto patch = Value::object();
  mark_removed(patch, fields);
  return patch;
}

Value patch_dropping(const Value& wanted, const std::vector<FieldPath>& dropped, std::string_view resource_version) {
  auto patch = wanted;
  patch["metadata"]["resourceVersion"] = resource_version;
  mark_removed(patch, dropped);
  return patch;
}

// From the last entry to the first, so that the places of those still to come stay what they are.
Value patch_disowning(const Value& before, const Value& after, std::string_view manager) {
  auto patch = Value::array();
  const auto& entries = managed_fields(after);
  for (auto i = entries.size(); i-- > 0;) {
    const auto& entry = entries[i];
    const auto* earlier = is_update_of(entry, manager) ? same_update(before, entry, manager) : &entry;
    if (earlier != nullptr && *earlier == entry) {
      continue;
    }
    const auto path = "/metadata/managedFields/" + std::to_string(i);
    patch.push_back({{"op", "test"}, {"path", path}, {"value", entry}});
    if (earlier != nullptr) {
      patch.push_back({{"op", "replace"}, {"path", path}, {"value", *earlier}});
    } else {
      patch.push_back({{"op", "remove"}, {"path", path}});
    }
  }
  return patch;
}

}  // namespace deployctl::kube
