// GET /apis names all groups with their versions in one small answer; aggregated APIs that are down do not disturb it.
#include "core/cluster/discovery.hpp"

#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::cluster {
namespace {

using Groups = std::map<std::string, std::vector<std::string>, std::less<>>;

Groups read_groups(const json::Value& body) {
  Groups groups;
  for (const auto& group : json::Reader(body).at("groups").elements()) {
    auto& versions = groups[group.at("name").string_or()];
    for (const auto& version : group.at("versions").elements()) {
      versions.push_back(version.at("version").string_or());
    }
    const auto preferred = std::ranges::find(versions, group.at("preferredVersion", "version").string_or());
    if (preferred != versions.end()) {
      std::rotate(versions.begin(), preferred, preferred + 1);
    }
  }
  return groups;
}

}  // namespace

base::Result<std::vector<std::string>> Discovery::versions(std::string_view group, std::stop_token stop) {
  const std::scoped_lock lock(mutex_);
  if (!groups_) {
    const auto body = api_.send_for_json({.path = "/apis",
                                          .operation = {.verb = "list", .object = "API groups", .name_space = {}},
                                          .timeouts = reading_timeouts()},
                                         stop);
    if (!body) {
      return body.error();
    }
    groups_ = read_groups(*body);
  }
  const auto found = groups_->find(group);
  return found == groups_->end() ? std::vector<std::string>() : found->second;
}

}  // namespace deployctl::cluster
