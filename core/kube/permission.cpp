#include "core/kube/permission.hpp"

#include "core/json/reader.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace deployctl::kube {
namespace {

std::vector<std::string> texts(const json::Reader& list) {
  std::vector<std::string> texts;
  for (const auto& text : list.elements()) {
    texts.push_back(text.string_or());
  }
  return texts;
}

bool names(const std::vector<std::string>& list, std::string_view wanted) {
  return std::ranges::any_of(list, [&](const std::string& each) { return each == "*" || each == wanted; });
}

// "*/scale" stands for that subresource of everything.
bool names_resource(const std::vector<std::string>& list, std::string_view wanted) {
  const auto slash = wanted.find('/');
  const auto any = slash == std::string_view::npos ? std::string() : "*" + std::string(wanted.substr(slash));
  return names(list, wanted) || (!any.empty() && std::ranges::find(list, any) != list.end());
}

// Resources that have the same verbs in one group share a rule.
json::Value rules_of(const std::vector<Permission>& permissions) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> verbs_of;
  for (const auto& each : permissions) {
    verbs_of[{each.group, each.resource}].insert(each.verb);
  }
  std::map<std::pair<std::string, std::set<std::string>>, std::vector<std::string>> resources_of;
  for (const auto& [place, verbs] : verbs_of) {
    resources_of[{place.first, verbs}].push_back(place.second);
  }
  auto rules = json::Value::array();
  for (const auto& [key, resources] : resources_of) {
    rules.push_back({{"apiGroups", json::Value::array({key.first})}, {"resources", resources}, {"verbs", key.second}});
  }
  return rules;
}

}  // namespace

Permission permission(std::string_view verb, const Resource& resource, std::string_view subresource) {
  return {.verb = std::string(verb),
          .group = resource.group,
          .resource = resource.plural + (subresource.empty() ? "" : "/" + std::string(subresource)),
          .scope = resource.scope};
}

std::string to_string(const Permission& permission) {
  const auto group = permission.group.empty() ? "" : "." + permission.group;
  return permission.verb + " " + permission.resource + group;
}

AccessRules access_rules_from(const json::Value& review) {
  const auto status = json::Reader(review).at("status");
  AccessRules access{.rules = {}, .is_incomplete = status.at("incomplete").boolean_or()};
  for (const auto& rule : status.at("resourceRules").elements()) {
    access.rules.push_back({.verbs = texts(rule.at("verbs")),
                            .groups = texts(rule.at("apiGroups")),
                            .resources = texts(rule.at("resources")),
                            .names = texts(rule.at("resourceNames"))});
  }
  return access;
}

bool allows(const AccessRules& access, const Permission& permission) {
  return std::ranges::any_of(access.rules, [&](const AccessRule& rule) {
    return rule.names.empty() && names(rule.verbs, permission.verb) && names(rule.groups, permission.group) &&
           names_resource(rule.resources, permission.resource);
  });
}

std::vector<Object> roles_for(std::string_view name, std::string_view name_space,
                              std::span<const Permission> permissions) {
  std::vector<Permission> inside;
  std::vector<Permission> outside;
  for (const auto& each : permissions) {
    (each.scope == Scope::name_space ? inside : outside).push_back(each);
  }
  constexpr auto version = "rbac.authorization.k8s.io/v1";
  std::vector<Object> roles;
  if (!inside.empty()) {
    roles.push_back({{{"apiVersion", version},
                      {"kind", "Role"},
                      {"metadata", {{"name", name}, {"namespace", name_space}}},
                      {"rules", rules_of(inside)}}});
  }
  if (!outside.empty()) {
    roles.push_back({{{"apiVersion", version},
                      {"kind", "ClusterRole"},
                      {"metadata", {{"name", name}}},
                      {"rules", rules_of(outside)}}});
  }
  return roles;
}

}  // namespace deployctl::kube
