#include "core/execute/change.hpp"

#include "core/cluster/rollout_watch.hpp"
#include "core/execute/await.hpp"
#include "core/execute/inspect.hpp"
#include "core/kube/history.hpp"

namespace deployctl::execute {

base::Status undo_rollout(cluster::Client& client, const project::Target& target, const project::Service& service,
                          std::optional<long long> to, std::chrono::milliseconds deadline, const Ports& ports) {
  const auto& name = *service.name;
  const auto history = read_history(client, target, name, ports.stop);
  if (!history) {
    return history.error();
  }
  const auto undo = kube::undo(history->deployment, history->replica_sets, to);
  if (!undo) {
    return undo.error();
  }
  ports.events.emit(events::Note{events::Note::Level::info,
                                 fmt::format("{}: from revision {} back to {}", name, undo->from, undo->to)});
  cluster::RolloutWatch watch(client, target.name_space);
  const auto applied = client.apply(
      kube::undone(history->deployment, *undo),
      {.force = cluster::Force::yes, .known_version = history->deployment.resource_version(), .stop = ports.stop});
  if (!applied) {
    return applied.error().within("undoing {}", name);
  }
  watch.follow(cluster::target_of(name, applied->object));
  return await_rollouts(watch, {name}, {.deadline = deadline}, ports);
}

base::Status restart_services(cluster::Client& client, const project::Target& target,
                              const std::vector<const project::Service*>& services, std::chrono::milliseconds deadline,
                              const Ports& ports) {
  cluster::RolloutWatch watch(client, target.name_space);
  std::vector<std::string> names;
  for (const auto* service : services) {
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
    watch.follow(cluster::target_of(*service->name, *restarted));
    names.push_back(*service->name);
  }
  return await_rollouts(watch, names, {.deadline = deadline}, ports);
}

}  // namespace deployctl::execute
