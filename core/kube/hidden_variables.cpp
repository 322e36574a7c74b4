#include "core/kube/hidden_variables.hpp"

#include "core/json/reader.hpp"

#include <algorithm>

namespace deployctl::kube {
namespace {

std::vector<json::Reader> containers_of(const Object& workload) {
  return json::Reader(workload.body).at("spec", "template", "spec", "containers").elements();
}

std::vector<json::Reader> variables_of(const std::vector<json::Reader>& containers, std::string_view name) {
  const auto found =
      std::ranges::find_if(containers, [&](const json::Reader& each) { return each.at("name").string_or() == name; });
  return found == containers.end() ? std::vector<json::Reader>() : found->at("env").elements();
}

std::set<std::string> names_from_maps(const json::Reader& container, const VariableMaps& maps) {
  std::set<std::string> names;
  for (const auto& source : container.at("envFrom").elements()) {
    if (const auto map = maps.find(source.at("configMapRef", "name").string_or()); map != maps.end()) {
      names.insert(map->second.begin(), map->second.end());
    }
  }
  for (const auto& own : container.at("env").elements()) {
    names.erase(own.at("name").string_or());
  }
  return names;
}

std::optional<FieldManager> other_manager(const json::Value& body, const FieldPath& path, std::string_view ours) {
  const auto managers = managers_of(body, path);
  const auto other = std::ranges::find_if(managers, [&](const auto& each) { return each.name != ours; });
  return other == managers.end() ? std::nullopt : std::optional(*other);
}

}  // namespace

void add_keys(VariableMaps& maps, const Object& object) {
  if (object.kind() != "ConfigMap") {
    return;
  }
  for (const auto& [key, value] : json::Reader(object.body).at("data").members()) {
    maps[object.name()].insert(std::string(key));
  }
}

std::vector<HiddenVariable> hidden_variables(const Object& wanted, const Object& applied, const VariableMaps& maps,
                                             std::string_view ours) {
  std::vector<HiddenVariable> hidden;
  const auto there = containers_of(applied);
  for (const auto& container : containers_of(wanted)) {
    const auto name = container.at("name").string_or();
    const auto names = names_from_maps(container, maps);
    for (const auto& entry : variables_of(there, name)) {
      const auto variable = entry.at("name").string_or();
      if (!names.contains(variable)) {
        continue;
      }
      const FieldPath path{"spec",
                           "template",
                           "spec",
                           "containers",
                           ElementKey{{{"name", name}}},
                           "env",
                           ElementKey{{{"name", variable}}}};
      hidden.push_back({name, variable, path, other_manager(applied.body, path, ours)});
    }
  }
  return hidden;
}

Object without(Object workload, const std::vector<HiddenVariable>& hidden) {
  for (const auto& each : hidden) {
    auto& list = make_value(workload.body, {each.path.begin(), each.path.end() - 1});
    const auto entry = std::ranges::find_if(
        list, [&](const json::Value& variable) { return json::Reader(variable).at("name").string_or() == each.name; });
    if (entry != list.end()) {
      list.erase(entry);
    }
  }
  return workload;
}

}  // namespace deployctl::kube
