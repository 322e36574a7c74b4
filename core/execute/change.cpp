#include "core/execute/change.hpp"

#include "core/cluster/rollout_watch.hpp"
#include "core/execute/apply.hpp"
#include "core/execute/await.hpp"
#include "core/execute/inspect.hpp"
#include "core/kube/history.hpp"
#include "core/plan/plan.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::execute {
namespace {

// The live Deployment with another pod template, as a server-side apply: everything the server adds is taken out, the
// resource version stays so that nobody's change in between is lost. Applying rather than patching keeps `deployctl`
// the one owner of what the template holds, so that the next release removes what it no longer has.
kube::Object with_template(const kube::Object& live, const kube::Undo& undo, const kube::Object* replica_set) {
  auto body = live.body;
  body.erase("status");
  auto& metadata = body["metadata"];
  for (const auto* made_by_server : {"managedFields", "uid", "creationTimestamp", "generation", "selfLink"}) {
    metadata.erase(made_by_server);
  }
  auto& annotations = metadata["annotations"];
  annotations.erase(std::string(kube::revision_annotation));
  for (const auto name : {plan::commit_annotation, plan::tag_annotation}) {
    annotations.erase(std::string(name));
    if (replica_set != nullptr && replica_set->body["metadata"].contains("annotations")) {
      const auto& kept = replica_set->body["metadata"]["annotations"];
      if (kept.contains(name)) {
        annotations[std::string(name)] = kept[std::string(name)];
      }
    }
  }
  body["spec"]["template"] = undo.pod_template;
  return {std::move(body)};
}

const kube::Object* replica_set_of(const DeploymentHistory& history, long long revision) {
  for (const auto& replica_set : history.replica_sets) {
    const auto& metadata = replica_set.body["metadata"];
    const auto annotations = metadata.find("annotations");
    if (annotations != metadata.end() &&
        annotations->value(std::string(kube::revision_annotation), "") == std::to_string(revision)) {
      return &replica_set;
    }
  }
  return nullptr;
}

}  // namespace

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
      with_template(history->deployment, *undo, replica_set_of(*history, undo->to)),
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
    const auto restarted =
        client.patch({"apps/v1", "Deployment", target.name_space, *service->name}, cluster::PatchType::merge,
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
