// A right to do something with a kind of object, and what a server says one has.
#pragma once

#include "core/json/value.hpp"
#include "core/kube/object.hpp"
#include "core/kube/resource.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

struct Permission {
  std::string verb;      // "patch"
  std::string group;     // "apps"; "" for the core group
  std::string resource;  // "deployments", "pods/log"
  Scope scope = Scope::name_space;

  friend auto operator<=>(const Permission&, const Permission&) = default;
};

Permission permission(std::string_view verb, const Resource& resource, std::string_view subresource = {});
// "patch deployments.apps", "get pods/log"
std::string to_string(const Permission& permission);

// One rule of a SelfSubjectRulesReview; "*" stands for everything.
struct AccessRule {
  std::vector<std::string> verbs;
  std::vector<std::string> groups;
  std::vector<std::string> resources;
  std::vector<std::string> names;  // only these objects; none: all
};

struct AccessRules {
  std::vector<AccessRule> rules;
  // An authorizer (a webhook) does not list its rules: what they do not allow may be allowed all the same.
  bool is_incomplete = false;
};

AccessRules access_rules_from(const json::Value& review);
// For any object of the kind: rules for single names do not count.
bool allows(const AccessRules& rules, const Permission& permission);

// The Role, and where something of the whole cluster is needed the ClusterRole, that give these permissions and nothing
// else. Rules are by group and verbs, sorted.
std::vector<Object> roles_for(std::string_view name, std::string_view name_space,
                              std::span<const Permission> permissions);

}  // namespace deployctl::kube
