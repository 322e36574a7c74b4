// Variables of the project that somebody has set by hand, as 'kubectl set env' does. A container takes what stands in
// `env` before what `envFrom` names (Kubernetes, "Define Environment Variables"), so the project's value would have no
// effect, although no field of ours is in conflict. Pure.
#pragma once

#include "core/kube/field_diff.hpp"
#include "core/kube/object.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace deployctl::kube {

using VariableMaps = std::map<std::string, std::set<std::string>>;  // the keys of ConfigMaps, by their names

// Adds those of a ConfigMap; nothing for other kinds.
void add_keys(VariableMaps& maps, const Object& object);

struct HiddenVariable {
  std::string container;
  std::string name;
  FieldPath path;                       // of the entry of `env` that hides it
  std::optional<FieldManager> manager;  // nothing: the server does not say
};

// Of the containers that `wanted` has. `applied` is the workload as the server has it after the apply, or would have
// it; `maps` are of the ConfigMaps that come with it.
std::vector<HiddenVariable> hidden_variables(const Object& wanted, const Object& applied, const VariableMaps& maps,
                                             std::string_view ours);

// The workload as it is once the entries that hide them are gone.
Object without(Object workload, const std::vector<HiddenVariable>& hidden);

}  // namespace deployctl::kube
