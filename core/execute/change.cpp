#include "core/execute/change.hpp"

#include "core/base/text.hpp"
#include "core/cluster/rollout_watch.hpp"
#include "core/execute/actor.hpp"
#include "core/execute/await.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/running.hpp"
#include "core/kube/history.hpp"
#include "core/plan/release.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using Services = std::vector<const project::Service*>;

// Its canary or its new side is compared with the pods that would be replaced.
base::Status check_not_waiting(const kube::ReleaseSummary& release, const Services& services) {
  const auto open = CanaryRecord(release.progress, {}).open_services();
  for (const auto* service : services) {
    if (std::ranges::find(open, *service->name) != open.end()) {
      return base::Error::refused("release {} has not ended ({}), so nothing was restarted", release.number,
                                  CanaryRecord(release.progress, {}).open_in_words())
          .with_hint("'deployctl promote {0}' goes on with it, 'deployctl abort {0}' takes it back", *service->name);
    }
  }
  return {};
}

base::Error left_behind(const kube::ReleaseSummary& release) {
  const auto open = CanaryRecord(release.progress, {}).open_in_words();
  const auto& how_far = open.empty() ? release.journal : open;
  return base::Error::refused("release {} by {} was interrupted{}, so nothing was restarted", release.number,
                              base::printable(release.actor),
                              how_far.empty() ? std::string() : fmt::format(" ({})", base::printable(how_far)))
      .with_hint("'deployctl rollout' or 'deployctl undo' puts things right first");
}

// Whoever holds the lock knows that nobody else is at work: a newest release that is pending and does not wait for
// somebody was left behind, and what runs may be half of it.
base::Status check_nothing_open(Ledger& ledger, const Lock& lock, const Services& services, const Ports& ports) {
  const auto releases = ledger.list(ports.stop);
  if (!releases || releases->empty()) {
    return releases ? base::Status() : releases.error();
  }
  const auto& newest = releases->front();
  if (is_paused(newest)) {
    return check_not_waiting(newest, services);
  }
  if (newest.state == kube::ReleaseState::pending) {
    if (const auto marked = ledger.mark_interrupted(newest, lock.epoch(), ports.stop); !marked) {
      return marked;
    }
  }
  const bool is_left_behind =
      newest.state == kube::ReleaseState::pending || newest.state == kube::ReleaseState::interrupted;
  return is_left_behind ? base::Status(left_behind(newest)) : base::Status();
}

base::Status check_ours(cluster::Client& client, const project::Target& target,
                        const std::vector<const project::Service*>& services, const Ports& ports) {
  const auto running = read_running(plan::names_of(services), client, target.name_space, ports.stop);
  return running ? check_belonging(*running, target) : running.error();
}

}  // namespace

base::Status restart_services(cluster::Client& client, const project::Target& target,
                              const std::vector<const project::Service*>& services, const RestartOptions& options,
                              const Ports& ports) {
  const LedgerScope scope{*target.project, target.environment, target.name_space};
  auto lock = Lock::acquire(
      client, scope, {.holder = actor(ports.environment, ports.files), .what = "restart", .wait = options.lock_timeout},
      ports.events, ports.stop);
  if (!lock) {
    return lock.error();
  }
  Ledger ledger(client, scope);
  if (const auto settled = check_nothing_open(ledger, *lock, services, ports); !settled) {
    return settled;
  }
  if (const auto ours = check_ours(client, target, services, ports); !ours) {
    return ours;
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
