// The kinds of object this program writes and reads: where the API server serves them, and in which order they are
// applied. Not a discovery of what a cluster serves (cluster/discovery.hpp).
#pragma once

#include "core/kube/object.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

enum class Scope { cluster, name_space };

// A collection of the API server.
struct Resource {
  std::string group;    // "" for the core group
  std::string version;  // "v1"
  std::string kind;     // "Deployment"
  std::string plural;   // "deployments"
  Scope scope = Scope::name_space;

  [[nodiscard]] std::string api_version() const;  // "apps/v1"
  friend bool operator==(const Resource&, const Resource&) = default;
};

// The resource of an object; nothing when the kind is not in the table. The version is the object's.
std::optional<Resource> find_resource(std::string_view api_version, std::string_view kind);
// The resource of a kind we know, in the version that every supported server has or else the newest.
// An assertion for any other kind.
Resource resource_of(std::string_view kind);
// Versions of the group in which the kind means the same to us, newest first: {"v2", "v2beta2"}.
std::vector<std::string> known_versions(std::string_view group, std::string_view kind);

// "/apis/apps/v1/namespaces/shop/deployments"; all namespaces when `name_space` is empty.
std::string collection_path(const Resource& resource, std::string_view name_space);
std::string object_path(const Resource& resource, std::string_view name_space, std::string_view name);

// Objects of an earlier phase are applied before those of a later one, so that what is named exists.
enum class ApplyPhase { name_space, configuration, storage, account, service, workload, scaling, routing };

// Kinds that are not in the table go with the workloads.
ApplyPhase apply_phase(std::string_view kind);
// By phase; objects of one phase keep their order.
void sort_for_apply(std::vector<Object>& objects);

}  // namespace deployctl::kube
