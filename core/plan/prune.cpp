#include "core/plan/prune.hpp"

#include "core/base/text.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/json/reader.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/belonging.hpp"
#include "core/plan/restore.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace deployctl::plan {
namespace {

constexpr std::array<std::string_view, 10> prunable_kinds{
    "ConfigMap",           "Secret",  "Service",   "Deployment",    "StatefulSet", "HorizontalPodAutoscaler",
    "PodDisruptionBudget", "Ingress", "HTTPRoute", "VirtualService"};

// The same object in whichever version of its kind.
using Identity = std::tuple<std::string, std::string, std::string>;

Identity identity(const kube::ObjectKey& key) {
  return {key.kind, key.name_space, key.name};
}

bool is_prunable(const kube::ObjectKey& key) {
  return std::ranges::find(prunable_kinds, key.kind) != prunable_kinds.end();
}

}  // namespace

bool is_named_after_content(const kube::ObjectKey& key) {
  return key.kind == "ConfigMap" || key.kind == "Secret";
}

namespace {

// What must stay: all that is wanted, and the configuration of the releases one can go back to.
std::set<Identity> wanted(std::span<const kube::ReleaseSummary> releases, std::span<const kube::ObjectKey> desired) {
  std::set<Identity> stays;
  for (const auto& key : desired) {
    stays.insert(identity(key));
  }
  const auto kept = kube::kept_releases(releases, kept_release_count);
  for (const auto& release : releases) {
    if (!kept.contains(release.number) || !release.was_deployed() || !release.inventory) {
      continue;
    }
    for (const auto& key : *release.inventory) {
      if (is_named_after_content(key)) {
        stays.insert(identity(key));
      }
    }
  }
  return stays;
}

}  // namespace

std::vector<kube::ObjectKey> to_prune(std::span<const kube::ReleaseSummary> releases,
                                      std::span<const kube::ObjectKey> desired) {
  auto done_with = wanted(releases, desired);
  std::vector<kube::ObjectKey> keys;
  for (const auto& release : releases) {
    for (const auto& key : release.inventory.value_or(std::vector<kube::ObjectKey>())) {
      if (is_prunable(key) && done_with.insert(identity(key)).second) {
        keys.push_back(key);
      }
    }
  }
  return keys;
}

std::vector<kube::ObjectKey> without_used(std::vector<kube::ObjectKey> keys,
                                          std::span<const kube::Object> deployments) {
  std::set<Identity> going;
  for (const auto& key : keys) {
    going.insert(identity(key));
  }
  std::set<std::pair<std::string, std::string>> used;
  for (const auto& deployment : deployments) {
    const bool has_pods = json::Reader(deployment.body).at("spec", "replicas").integer_or(1) > 0;
    if (!has_pods || going.contains(identity(deployment.key()))) {
      continue;
    }
    for (const auto& reference : generate::references(std::span(&deployment, 1))) {
      used.emplace(reference.kind, reference.name);
    }
  }
  std::erase_if(keys, [&](const kube::ObjectKey& key) { return used.contains({key.kind, key.name}); });
  return keys;
}

std::vector<kube::ObjectKey> kept_claims(const kube::ReleaseSummary& live, std::span<const kube::ObjectKey> desired) {
  std::vector<kube::ObjectKey> kept;
  for (const auto& key : live.inventory.value_or(std::vector<kube::ObjectKey>())) {
    if (key.kind == "PersistentVolumeClaim" && std::ranges::find(desired, key) == desired.end()) {
      kept.push_back(key);
    }
  }
  return kept;
}

std::string why_not_pruned(const kube::Object& live, const project::Target& target, std::string_view field_manager) {
  const auto metadata = json::Reader(live.body).at("metadata");
  if (metadata.at("labels", "app.kubernetes.io/part-of").string_or() != *target.project) {
    return fmt::format("it is not labelled as part of {}", *target.project);
  }
  if (const auto environment = other_environment(live, target); !environment.empty()) {
    return fmt::format("it belongs to {} of {}", base::printable(environment), *target.project);
  }
  const auto managers = metadata.at("managedFields").elements();
  if (std::ranges::none_of(managers, [&](const auto& entry) {
        return entry.at("manager").string_or() == field_manager && entry.at("operation").string_or() == "Apply";
      })) {
    return "somebody else has written it";
  }
  if (metadata.at("annotations", keep_annotation).string_or() == "true") {
    return fmt::format("it is annotated {}", keep_annotation);
  }
  return metadata.at("deletionTimestamp").exists() ? "it is being deleted already" : "";
}

bool is_of_another_service(const kube::Object& live, const std::vector<std::string>& services) {
  return !services.empty() && std::ranges::find(services, service_of(live)) == services.end();
}

std::vector<Step> prune_steps(const std::vector<kube::ObjectKey>& keys, const std::vector<std::string>& services) {
  std::vector<Step> steps;
  for (const auto& key : keys) {
    steps.push_back({.id = "prune:" + kube::to_string(key),
                     .service = {},
                     .action = PruneObject{key, services},
                     .change = Change::remove,
                     .reason = "no longer part of the project",
                     .after = {},
                     .phase = Phase::cluster});
  }
  return steps;
}

}  // namespace deployctl::plan
