#include "core/kube/adoption.hpp"

#include "core/base/overloaded.hpp"
#include "core/json/reader.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace deployctl::kube {
namespace {

// Those that made the object. "before-first-apply" stands for fields older than the record of managers.
constexpr std::array<std::string_view, 4> makers{"kubectl-client-side-apply", "kubectl-create", "kubectl-expose",
                                                 "before-first-apply"};

bool is_ours(const json::Reader& entry, std::string_view ours) {
  return entry.at("manager").string_or() == ours && entry.at("operation").string_or() == "Apply";
}

bool is_an_update(const json::Reader& entry) {
  return entry.at("operation").string_or() == "Update" && entry.at("subresource").string_or().empty();
}

bool is_a_makers(const json::Reader& entry) {
  return is_an_update(entry) && std::ranges::find(makers, entry.at("manager").string_or()) != makers.end();
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

std::string key_of(const FieldStep& step) {
  return std::visit(base::Overloaded{
                        [](const std::string& name) { return "f:" + name; },
                        [](const ElementKey& key) { return "k:" + json::to_compact_text(key.members); },
                    },
                    step);
}

bool is_but_the_node_itself(const json::Value& fields) {
  return fields.empty() || (fields.size() == 1 && fields.contains("."));
}

// What `from` has at the path becomes a part of `to`. A parent of which nothing is left goes along: empty, it would
// stand for the whole of it, and with "." alone a server puts an element back that its last owner drops.
bool move_fields(json::Value& from, std::span<const FieldStep> path, json::Value& to) {
  const auto there = from.find(key_of(path.front()));
  if (there == from.end()) {
    return false;
  }
  auto moved = path.size() == 1 ? *there : json::Value::object();
  if (path.size() > 1 && !move_fields(*there, path.subspan(1), moved)) {
    return false;
  }
  const bool is_done_with = path.size() == 1 || is_but_the_node_itself(*there);
  if (path.size() > 1 && is_done_with) {
    add_fields(moved, *there);
  }
  add_fields(to, {{there.key(), std::move(moved)}});
  if (is_done_with) {
    from.erase(there);
  }
  return true;
}

// Where the variables stand that the object has in `env` itself: whoever has given one another value has left ours
// beside it, and the server takes no two.
std::vector<FieldPath> variables_of(const json::Value& wanted) {
  std::vector<FieldPath> paths;
  for (const auto& container : json::Reader(wanted).at("spec", "template", "spec", "containers").elements()) {
    for (const auto& variable : container.at("env").elements()) {
      paths.push_back({"spec", "template", "spec", "containers",
                       ElementKey{{{"name", container.at("name").string_or()}}}, "env",
                       ElementKey{{{"name", variable.at("name").string_or()}}}});
    }
  }
  return paths;
}

// What is left of somebody's entry once the fields at the paths are in `mine`; nothing when it has none of them.
std::optional<json::Value> without_fields(const json::Reader& entry, const std::vector<FieldPath>& paths,
                                          json::Value& mine) {
  auto rest = *entry.value();
  const auto fields = rest.find("fieldsV1");
  bool is_taken = false;
  for (const auto& path : paths) {
    const bool is_moved = fields != rest.end() && move_fields(*fields, path, mine);
    is_taken = is_taken || is_moved;
  }
  return is_taken ? std::optional(std::move(rest)) : std::nullopt;
}

void leave_replicas(json::Value& fields) {
  if (const auto spec = fields.find("f:spec"); spec != fields.end()) {
    spec->erase("f:replicas");
  }
}

// Managed fields as they are when those of the makers are ours; nothing when the makers have none.
std::optional<json::Value> adopted_managers(const json::Value& live, const json::Value& wanted, std::string_view ours,
                                            std::span<const FieldPath> also) {
  const auto version = json::Reader(wanted).at("apiVersion").string_or();
  auto kept = json::Value::array();
  json::Value mine = {
      {"manager", ours}, {"operation", "Apply"}, {"apiVersion", version}, {"time", ""}, {"fieldsType", "FieldsV1"}};
  auto fields = json::Value::object();
  bool is_taken = false;
  auto paths = variables_of(wanted);
  paths.insert(paths.end(), also.begin(), also.end());
  for (const auto& entry : json::Reader(live).at("metadata", "managedFields").elements()) {
    const bool is_same_version = entry.at("apiVersion").string_or() == version;
    const bool is_to_take = is_same_version && is_a_makers(entry);
    if (!is_to_take && !(is_same_version && is_ours(entry, ours))) {
      auto rest = is_same_version && is_an_update(entry) ? without_fields(entry, paths, fields) : std::nullopt;
      is_taken = is_taken || rest;
      kept.push_back(rest ? *std::move(rest) : *entry.value());
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

std::optional<json::Value> adopted(const json::Value& live, const json::Value& wanted, std::string_view ours,
                                   std::span<const FieldPath> also) {
  auto managers = adopted_managers(live, wanted, ours, also);
  if (!managers) {
    return std::nullopt;
  }
  auto body = live;
  body["metadata"]["managedFields"] = *std::move(managers);
  return body;
}

std::optional<json::Value> adoption_patch(const json::Value& live, const json::Value& wanted, std::string_view ours,
                                          std::span<const FieldPath> also) {
  auto managers = adopted_managers(live, wanted, ours, also);
  if (!managers) {
    return std::nullopt;
  }
  const auto version = json::Reader(live).at("metadata", "resourceVersion").string_or();
  return json::Value::array(
      {{{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", version}},
       {{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", *std::move(managers)}}});
}

}  // namespace deployctl::kube
