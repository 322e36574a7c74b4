// What a rollout has to know of its cluster, asked for at once.
#include "core/base/text.hpp"
#include "core/execute/at_once.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/lock.hpp"
#include "core/execute/observe_parts.hpp"
#include "core/execute/preflight.hpp"
#include "core/execute/running.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"
#include "core/plan/prune.hpp"
#include "core/plan/restore.hpp"

#include <algorithm>
#include <set>

namespace deployctl::execute {
namespace {

// Fills what a Seen has of the cluster.
class ClusterLook : Look {
 public:
  ClusterLook(const Looking& looking, Seen& seen) : Look(looking, seen) {}

  base::Status run() {
    const auto seen = see_cluster();
    const auto sided = seen && wish_.rollout ? see_sides() : seen;
    if (sided) {
      settle_replicas();
      see_live_images();
    }
    return sided;
  }

 private:
  base::Status see_cluster() {
    if (!wish_.rollout) {
      return {};
    }
    auto client = connect_cluster(target_, ports_);
    if (!client) {
      return client.error();
    }
    seen_.world.cluster = std::move(*client);
    return try_at_once({[this] { return see_identity(); }, [this] { return see_what_runs_change(); },
                        [this] { return see_access(); }, [this] { return see_autoscalers(); }});
  }

  // The lock first: whoever takes it from here on moves its epoch, which is how this run knows under the lock whether
  // another one came before.
  base::Status see_what_runs_change() {
    if (const auto reached = see_lock(); !reached) {
      return reached;
    }
    const auto seen = see_deployments();
    if (seen) {
      see_releases();
    }
    return seen;
  }

  // Who only looks needs none. What else goes wrong here is told by whoever takes the lock.
  base::Status see_lock() {
    if (options_.with_dry_run && options_.record == Record::no) {
      return {};
    }
    auto lease = read_lock(*seen_.world.cluster, ledger_scope(), ports_.stop);
    if (lease) {
      seen_.lock = std::move(*lease);
      return {};
    }
    return lease.error().code == base::ErrorCode::unreachable ? base::Status(lease.error()) : base::Status();
  }

  // Only to save a question later.
  void see_releases() {
    if (!seen_.lock || !seen_.lock->holder.empty()) {
      return;
    }
    seen_.ledger = std::make_shared<Ledger>(*seen_.world.cluster, ledger_scope());
    if (auto releases = seen_.ledger->list_with_inventories(ports_.stop)) {
      seen_.releases = std::move(*releases);
    }
  }

  // Version 1 is served by every server and has all that is needed here. Who may not list them, or has none, goes
  // without.
  base::Status see_autoscalers() {
    auto resource = kube::resource_of("HorizontalPodAutoscaler");
    resource.version = "v1";
    const auto listed =
        seen_.world.cluster->list({.resource = resource, .name_space = target_.name_space}, ports_.stop);
    if (!listed) {
      const auto code = listed.error().code;
      const bool are_none = code == base::ErrorCode::unauthorized || code == base::ErrorCode::not_found;
      return are_none ? base::Status() : base::Status(listed.error());
    }
    for (const auto& autoscaler : listed->items) {
      if (goes_with_this_run(autoscaler)) {
        continue;
      }
      const auto scaled = json::Reader(autoscaler.body).at("spec", "scaleTargetRef");
      if (scaled.at("kind").string_or() == "Deployment") {
        scaled_.insert(scaled.at("name").string_or());
      }
    }
    return {};
  }

  // Ours, of a service that has replicas of its own now: it is pruned before they are applied.
  [[nodiscard]] bool goes_with_this_run(const kube::Object& autoscaler) const {
    const auto service =
        std::ranges::find_if(services_, [&](const auto* each) { return *each->name == plan::service_of(autoscaler); });
    return service != services_.end() && !(*service)->scale &&
           plan::why_not_pruned(autoscaler, target_, cluster::field_manager).empty();
  }

  // Of the side that is live: the other one has none.
  const kube::Object* live_deployment(const std::string& service) const {
    const auto& seen = seen_.observation;
    return execute::live_deployment(service, seen.deployments, seen_.green, seen.live_sides);
  }

  void see_live_images() {
    for (const auto* service : services_) {
      if (const auto* live = live_deployment(*service->name); live != nullptr) {
        seen_.live_images[*service->name] = running_image(*service->name, *live);
      }
    }
  }

  void settle_replicas() {
    for (const auto* service : services_) {
      const auto& name = *service->name;
      const auto* live = live_deployment(name);
      if (live == nullptr || !(service->scale || scaled_.contains(live->name()))) {
        continue;
      }
      auto held = plan::held_replicas(*live);
      if (held == 0 && service->scale) {  // no autoscaler wakes what has none
        held = service->scale->min;
      }
      seen_.observation.held_replicas[name] = held;
      if (!held && service->scale && json::Reader(live->body).at("spec", "replicas").integer_or(1) == 0) {
        ports_.events.emit(events::Note{
            events::Note::Level::warning,
            fmt::format(
                "somebody has scaled {0} to 0, which no autoscaler changes: nothing of the new version will run; "
                "'kubectl scale deployment {1} -n {2} --replicas={3}' brings its pods back",
                name, live->name(), target_.name_space, service->scale->min)});
      }
      if (!service->scale) {
        ports_.events.emit(events::Note{
            events::Note::Level::warning,
            fmt::format("an autoscaler has the replicas of {}: 'replicas' of the project manifest is not applied; "
                        "'scale' in its place says what the autoscaler may do",
                        name)});
      }
    }
  }

  // Everything else is beside the point in another cluster.
  base::Status see_identity() {
    const auto seen = read_identity(*seen_.world.cluster, ports_.stop);
    if (!seen) {
      return seen.error();
    }
    seen_.cluster = *seen;
    const auto binding = check_binding(target_, *seen, seen_.world.cluster->connection(), options_.record, ports_);
    return binding ? base::Status() : binding.error();
  }

  // Who may not read namespaces works in one that somebody else made.
  base::Status see_namespace() {
    const auto found = seen_.world.cluster->get(generate::namespace_object(target_).key(), ports_.stop);
    if (found || found.error().code == base::ErrorCode::unauthorized) {
      return {};
    }
    seen_.observation.namespace_exists = found.error().code != base::ErrorCode::not_found;
    return seen_.observation.namespace_exists ? base::Status(found.error()) : base::Status();
  }

  base::Status see_access() {
    auto access = read_access(*seen_.world.cluster, target_.name_space, ports_.stop);
    if (!access) {
      return access.error();
    }
    seen_.access = std::move(*access);
    return {};
  }

  // The namespace is asked for only when nothing is in it.
  base::Status see_deployments() {
    auto running = read_running(plan::names_of(services_), *seen_.world.cluster, target_.name_space, ports_.stop);
    // Not being allowed is preflight's to say, with everything else that is not.
    if (!running && running.error().code != base::ErrorCode::unauthorized) {
      return running.error();
    }
    if (running) {
      if (const auto ours = options_.take_over ? base::Status() : check_belonging(*running, target_); !ours) {
        return ours;
      }
      seen_.observation.deployments = std::move(running->deployments);
      seen_.green = std::move(running->green);
    }
    return seen_.observation.deployments.empty() && seen_.green.empty() ? see_namespace() : base::Status();
  }

  // A service that was blue-green once may be live on its green side, whatever its strategy is now.
  base::Status see_sides() {
    for (const auto& [service, deployment] : seen_.green) {
      const auto side = live_side(*seen_.world.cluster, target_, service, ports_.stop);
      if (!side) {
        return side.error();
      }
      seen_.observation.live_sides[service] = *side;
    }
    return {};
  }

  std::set<std::string> scaled_;  // Deployments whose replicas an autoscaler has
};

}  // namespace

base::Status see_cluster(const Looking& looking, Seen& seen) {
  return ClusterLook(looking, seen).run();
}

}  // namespace deployctl::execute
