// Server-side apply needs `patch`, and `create` where the object is not there yet; what a conflict is about is read
// with `get`. A rollout is watched by four kinds: events and logs make its verdict better and are not needed for it.
#include "core/plan/permissions.hpp"

#include "core/canary/parts.hpp"
#include "core/kube/resource.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace deployctl::plan {
namespace {

constexpr std::array<std::string_view, 3> apply_verbs{"get", "create", "patch"};
constexpr std::array<std::string_view, 2> watch_verbs{"list", "watch"};
constexpr std::array<std::string_view, 3> lock_verbs{"get", "create", "update"};
constexpr std::array<std::string_view, 5> ledger_verbs{"get", "list", "create", "patch", "delete"};
constexpr std::array<std::string_view, 5> task_verbs{"get", "list", "watch", "create", "delete"};
constexpr std::array<std::string_view, 3> watched_kinds{"Deployment", "ReplicaSet", "Pod"};

class Collector {
 public:
  void add(std::string_view verb, const kube::Resource& resource, const std::string& purpose,
           std::string_view subresource = {}) {
    auto permission = kube::permission(verb, resource, subresource);
    if (std::ranges::find(needed_, permission, &NeededPermission::permission) == needed_.end()) {
      needed_.push_back({std::move(permission), purpose});
    }
  }

  void add_all(std::span<const std::string_view> verbs, const kube::Resource& resource, const std::string& purpose) {
    for (const auto verb : verbs) {
      add(verb, resource, purpose);
    }
  }

  void add_apply(const kube::Resource& resource, const std::string& purpose) {
    add_all(apply_verbs, resource, purpose);
  }

  void add_watch() {
    for (const auto kind : watched_kinds) {
      for (const auto verb : watch_verbs) {
        add(verb, kube::resource_of(kind), "to watch the rollout");
      }
    }
  }

  // The canary's own objects are applied at its first step and deleted after its last one. Its pods alone are asked
  // through the API server.
  void add_canary(const RunCanary& run, const std::string& service, const std::string& purpose) {
    for (const auto& object : run.objects) {
      if (const auto resource = kube::find_resource(object.api_version(), object.kind())) {
        add_apply(*resource, purpose);
      }
    }
    if (const auto parts = canary::parts_of(run.objects, service)) {
      for (const auto& key : canary::made_for_canary(*parts, run.settings, canary::End::aborted)) {
        if (const auto resource = kube::find_resource(key.api_version, key.kind)) {
          add("delete", *resource, purpose);
        }
      }
    }
    if (std::ranges::any_of(run.settings.gates.gates, asks_pods)) {
      add("get", kube::resource_of("Service"), "to ask the gates of " + service, "proxy");
    }
  }

  std::vector<NeededPermission> take() { return std::move(needed_); }

 private:
  static bool asks_pods(const project::Gate& gate) {
    const auto* http = std::get_if<project::HttpGate>(&gate.check);
    return http != nullptr && !http->path.empty();
  }

  std::vector<NeededPermission> needed_;
};

}  // namespace

std::vector<NeededPermission> needed_permissions(const Plan& plan) {
  Collector collector;
  const bool changes_cluster =
      std::ranges::any_of(plan.steps, [](const Step& step) { return step.phase == Phase::cluster; });
  if (changes_cluster) {
    collector.add_all(lock_verbs, kube::resource_of("Lease"), "to lock the project");
    collector.add_all(ledger_verbs, kube::resource_of("Secret"), "to record the release");
  }
  for (const auto& step : plan.steps) {
    const auto purpose = "to " + title(step);
    if (const auto* apply = std::get_if<ApplyObject>(&step.action)) {
      if (const auto resource = kube::find_resource(apply->object.api_version(), apply->object.kind())) {
        collector.add_apply(*resource, purpose);
      }
    } else if (std::holds_alternative<ApplySecret>(step.action)) {
      collector.add_apply(kube::resource_of("Secret"), purpose);
    } else if (std::holds_alternative<AwaitRollout>(step.action)) {
      collector.add_watch();
    } else if (std::holds_alternative<RunTask>(step.action)) {
      collector.add_all(task_verbs, kube::resource_of("Job"), purpose);
    } else if (const auto* prune = std::get_if<PruneObject>(&step.action)) {
      if (const auto resource = kube::find_resource(prune->key.api_version, prune->key.kind)) {
        collector.add("get", *resource, purpose);
        collector.add("delete", *resource, purpose);
      }
    } else if (const auto* run = std::get_if<RunCanary>(&step.action)) {
      collector.add_canary(*run, step.service, purpose);
    } else if (std::holds_alternative<RetireSide>(step.action)) {
      collector.add("delete", kube::resource_of("Deployment"), purpose);
    }
  }
  return collector.take();
}

}  // namespace deployctl::plan
