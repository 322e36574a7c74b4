#include "core/kube/adoption.hpp"

#include "core/json/reader.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace deployctl::kube {
namespace {

// Those that made the object. "before-first-apply" stands for fields older than the record of managers.
constexpr std::array<std::string_view, 4> makers{"kubectl-client-side-apply", "kubectl-create", "kubectl-expose",
                                                 "before-first-apply"};

bool is_ours(const json::Reader& entry, std::string_view ours) {
  return entry.at("manager").string_or() == ours && entry.at("operation").string_or() == "Apply";
}

bool is_a_makers(const json::Reader& entry) {
  return entry.at("operation").string_or() == "Update" && entry.at("subresource").string_or().empty() &&
         std::ranges::find(makers, entry.at("manager").string_or()) != makers.end();
}

// The union of two sets of fields (FieldsV1: a tree of "f:", "k:" and "v:" members; "." stands for the node itself).
void add_fields(json::Value& to, const json::Value& more) {
  for (const auto& [name, below] : more.items()) {
    auto& there = to[name];
    if (!there.is_object()) {
      there = json::Value::object();
    }
    add_fields(there, below);
  }
}

void leave_replicas(json::Value& fields) {
  if (const auto spec = fields.find("f:spec"); spec != fields.end()) {
    spec->erase("f:replicas");
  }
}

// Managed fields as they are when those of the makers are ours; nothing when the makers have none.
std::optional<json::Value> adopted_managers(const json::Value& live, const json::Value& wanted, std::string_view ours) {
  const auto version = json::Reader(wanted).at("apiVersion").string_or();
  auto kept = json::Value::array();
  json::Value mine = {
      {"manager", ours}, {"operation", "Apply"}, {"apiVersion", version}, {"time", ""}, {"fieldsType", "FieldsV1"}};
  auto fields = json::Value::object();
  bool is_taken = false;
  for (const auto& entry : json::Reader(live).at("metadata", "managedFields").elements()) {
    const bool is_same_version = entry.at("apiVersion").string_or() == version;
    const bool is_to_take = is_same_version && is_a_makers(entry);
    if (!is_to_take && !(is_same_version && is_ours(entry, ours))) {
      kept.push_back(*entry.value());
      continue;
    }
    is_taken = is_taken || is_to_take;
    mine["time"] = std::max(json::Reader(mine).at("time").string_or(), entry.at("time").string_or());
    if (const auto* theirs = entry.at("fieldsV1").value()) {
      add_fields(fields, *theirs);
    }
  }
  if (!is_taken) {
    return std::nullopt;
  }
  if (!json::Reader(wanted).at("spec", "replicas").exists()) {
    leave_replicas(fields);
  }
  mine["fieldsV1"] = std::move(fields);
  kept.push_back(std::move(mine));
  return kept;
}

}  // namespace

std::optional<json::Value> adopted(const json::Value& live, const json::Value& wanted, std::string_view ours) {
  auto managers = adopted_managers(live, wanted, ours);
  if (!managers) {
    return std::nullopt;
  }
  auto body = live;
  body["metadata"]["managedFields"] = *std::move(managers);
  return body;
}

std::optional<json::Value> adoption_patch(const json::Value& live, const json::Value& wanted, std::string_view ours) {
  auto managers = adopted_managers(live, wanted, ours);
  if (!managers) {
    return std::nullopt;
  }
  const auto version = json::Reader(live).at("metadata", "resourceVersion").string_or();
  return json::Value::array(
      {{{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", version}},
       {{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", *std::move(managers)}}});
}

}  // namespace deployctl::kube
