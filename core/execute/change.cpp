#include "core/execute/change.hpp"

#include "core/cluster/rollout_watch.hpp"
#include "core/execute/actor.hpp"
#include "core/execute/await.hpp"
#include "core/execute/inspect.hpp"
#include "core/kube/history.hpp"

namespace deployctl::execute {

base::Status restart_services(cluster::Client& client, const project::Target& target,
                              const std::vector<const project::Service*>& services, const RestartOptions& options,
                              const Ports& ports) {
  auto lock =
      Lock::acquire(client, {*target.project, target.environment, target.name_space},
                    {.holder = actor(ports.environment, ports.files), .what = "restart", .wait = options.lock_timeout},
                    ports.events, ports.stop);
  if (!lock) {
    return lock.error();
  }
  cluster::RolloutWatch watch(client, target.name_space);
  std::vector<std::string> names;
  for (const auto* service : services) {
    if (const auto held = lock->still_held(); !held) {
      return held;
    }
    const auto deployment = live_deployment(client, target, *service, ports.stop);
    if (!deployment) {
      return deployment.error().within("restarting {}", *service->name);
    }
    const auto restarted =
        client.patch({"apps/v1", "Deployment", target.name_space, *deployment}, cluster::PatchType::merge,
                     kube::restart_patch(io::to_rfc3339(ports.clock.now())), cluster::DryRun::no, ports.stop);
    if (!restarted) {
      return restarted.error().within("restarting {}", *service->name);
    }
    auto followed = cluster::target_of(*service->name, *restarted);
    followed.patience = patience_of(target)[*service->name];
    watch.follow(std::move(followed));
    names.push_back(*service->name);
  }
  return await_rollouts(watch, names, {.deadline = options.deadline}, ports);
}

}  // namespace deployctl::execute
