#include "core/kube/resource.hpp"

#include "core/base/url.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace deployctl::kube {
namespace {

// One kind; `versions` are those in which the fields we write are the same, newest first.
struct Row {
  std::string_view kind;
  std::string_view group;
  std::array<std::string_view, 2> versions;
  std::string_view plural;
  Scope scope;
  ApplyPhase phase;
};

constexpr auto rows = std::to_array<Row>({
    {"Namespace", "", {"v1"}, "namespaces", Scope::cluster, ApplyPhase::name_space},
    {"ConfigMap", "", {"v1"}, "configmaps", Scope::name_space, ApplyPhase::configuration},
    {"Secret", "", {"v1"}, "secrets", Scope::name_space, ApplyPhase::configuration},
    {"PersistentVolumeClaim", "", {"v1"}, "persistentvolumeclaims", Scope::name_space, ApplyPhase::storage},
    {"ServiceAccount", "", {"v1"}, "serviceaccounts", Scope::name_space, ApplyPhase::account},
    {"Role", "rbac.authorization.k8s.io", {"v1"}, "roles", Scope::name_space, ApplyPhase::account},
    {"RoleBinding", "rbac.authorization.k8s.io", {"v1"}, "rolebindings", Scope::name_space, ApplyPhase::account},
    {"Service", "", {"v1"}, "services", Scope::name_space, ApplyPhase::service},
    {"Deployment", "apps", {"v1"}, "deployments", Scope::name_space, ApplyPhase::workload},
    {"StatefulSet", "apps", {"v1"}, "statefulsets", Scope::name_space, ApplyPhase::workload},
    {"DaemonSet", "apps", {"v1"}, "daemonsets", Scope::name_space, ApplyPhase::workload},
    {"ReplicaSet", "apps", {"v1"}, "replicasets", Scope::name_space, ApplyPhase::workload},
    {"Job", "batch", {"v1"}, "jobs", Scope::name_space, ApplyPhase::workload},
    {"CronJob", "batch", {"v1", "v1beta1"}, "cronjobs", Scope::name_space, ApplyPhase::workload},
    {"Pod", "", {"v1"}, "pods", Scope::name_space, ApplyPhase::workload},
    {"HorizontalPodAutoscaler",
     "autoscaling",
     {"v2", "v2beta2"},
     "horizontalpodautoscalers",
     Scope::name_space,
     ApplyPhase::scaling},
    {"PodDisruptionBudget",
     "policy",
     {"v1", "v1beta1"},
     "poddisruptionbudgets",
     Scope::name_space,
     ApplyPhase::scaling},
    {"Ingress", "networking.k8s.io", {"v1"}, "ingresses", Scope::name_space, ApplyPhase::routing},
    {"HTTPRoute", "gateway.networking.k8s.io", {"v1", "v1beta1"}, "httproutes", Scope::name_space, ApplyPhase::routing},
    {"Gateway", "gateway.networking.k8s.io", {"v1", "v1beta1"}, "gateways", Scope::name_space, ApplyPhase::routing},
    {"VirtualService",
     "networking.istio.io",
     {"v1", "v1beta1"},
     "virtualservices",
     Scope::name_space,
     ApplyPhase::routing},
    {"NetworkPolicy", "networking.k8s.io", {"v1"}, "networkpolicies", Scope::name_space, ApplyPhase::routing},
    {"Event", "", {"v1"}, "events", Scope::name_space, ApplyPhase::workload},
    {"Endpoints", "", {"v1"}, "endpoints", Scope::name_space, ApplyPhase::service},
    {"ResourceQuota", "", {"v1"}, "resourcequotas", Scope::name_space, ApplyPhase::configuration},
    {"LimitRange", "", {"v1"}, "limitranges", Scope::name_space, ApplyPhase::configuration},
    {"Lease", "coordination.k8s.io", {"v1"}, "leases", Scope::name_space, ApplyPhase::configuration},
    {"Node", "", {"v1"}, "nodes", Scope::cluster, ApplyPhase::name_space},
});

const Row* find_row(std::string_view kind) {
  const auto row = std::ranges::find(rows, kind, &Row::kind);
  return row == rows.end() ? nullptr : &*row;
}

// "apps/v1" is {"apps", "v1"}, "v1" is {"", "v1"}.
std::pair<std::string_view, std::string_view> split_api_version(std::string_view api_version) {
  const auto slash = api_version.find('/');
  return slash == std::string_view::npos ? std::pair{std::string_view(), api_version}
                                         : std::pair{api_version.substr(0, slash), api_version.substr(slash + 1)};
}

Resource resource_from(const Row& row, std::string_view version) {
  return {.group = std::string(row.group),
          .version = std::string(version),
          .kind = std::string(row.kind),
          .plural = std::string(row.plural),
          .scope = row.scope};
}

}  // namespace

std::string Resource::api_version() const {
  return group.empty() ? version : group + "/" + version;
}

std::optional<Resource> find_resource(std::string_view api_version, std::string_view kind) {
  const auto [group, version] = split_api_version(api_version);
  const auto* row = find_row(kind);
  if (row == nullptr || row->group != group || version.empty()) {
    return std::nullopt;
  }
  return resource_from(*row, version);
}

Resource resource_of(std::string_view kind) {
  const auto* row = find_row(kind);
  assert(row != nullptr);
  return resource_from(*row, row->versions.front());
}

std::vector<std::string> known_versions(std::string_view group, std::string_view kind) {
  const auto* row = find_row(kind);
  std::vector<std::string> versions;
  if (row == nullptr || row->group != group) {
    return versions;
  }
  for (const auto version : row->versions) {
    if (!version.empty()) {
      versions.emplace_back(version);
    }
  }
  return versions;
}

std::string collection_path(const Resource& resource, std::string_view name_space) {
  auto path = (resource.group.empty() ? "/api/" : "/apis/") + resource.api_version();
  if (resource.scope == Scope::name_space && !name_space.empty()) {
    path += "/namespaces/" + base::percent_encode(name_space);
  }
  return path + "/" + resource.plural;
}

std::string object_path(const Resource& resource, std::string_view name_space, std::string_view name) {
  return collection_path(resource, name_space) + "/" + base::percent_encode(name);
}

ApplyPhase apply_phase(std::string_view kind) {
  const auto* row = find_row(kind);
  return row == nullptr ? ApplyPhase::workload : row->phase;
}

void sort_for_apply(std::vector<Object>& objects) {
  std::ranges::stable_sort(objects, {}, [](const Object& object) { return apply_phase(object.kind()); });
}

}  // namespace deployctl::kube
