#include "core/execute/promote.hpp"

#include "core/base/text.hpp"
#include "core/canary/parts.hpp"
#include "core/execute/gates.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/promoted_tasks.hpp"
#include "core/execute/running.hpp"
#include "core/execute/under_way.hpp"
#include "core/plan/canary.hpp"
#include "core/plan/restore.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Error;
using base::Result;
using base::Status;

bool is_among(const std::vector<std::string>& services, const std::string& service) {
  return std::ranges::find(services, service) != services.end();
}

// One that waits has pods, unless somebody has deleted them: there is nothing to promote then.
Status check_canaries_there(cluster::Client& client, const UnderWay& under_way, const project::Target& target,
                            const Ports& ports) {
  for (const auto& kept : under_way.canaries) {
    const kube::ObjectKey key{"apps/v1", "Deployment", target.name_space, canary::canary_name(kept.service)};
    const auto live = kept.progress.stage == canary::Stage::holding ? client.get(key, ports.stop)
                                                                    : Result<kube::Object>(kube::Object());
    if (!live && live.error().code == base::ErrorCode::not_found) {
      return Error::refused("{} is gone: somebody has deleted it", kube::to_string(key))
          .with_hint(
              "'deployctl rollout' of the same commit makes it again, 'deployctl abort {}' takes back what is left of "
              "the canary",
              kept.service);
    }
  }
  return {};
}

// Routers take the canary's Ingress for a part of the stable pods' one.
Status check_ingresses_there(cluster::Client& client, const UnderWay& under_way, const kube::Release& release,
                             const Ports& ports) {
  for (const auto& kept : under_way.canaries) {
    const auto ingress = canary::surroundings_of(release.objects, kept.service).ingress;
    if (kept.settings.router != project::Router::nginx || !ingress) {
      continue;
    }
    const auto live = client.get(ingress->key(), ports.stop);
    if (!live && live.error().code == base::ErrorCode::not_found) {
      return Error::refused("{} is gone: somebody has deleted it, and without it the canary's would get every request",
                            kube::to_string(ingress->key()))
          .with_hint("'deployctl undo' takes the canary back and makes all of the live release again");
    }
  }
  return {};
}

// Steps that are taken from here ask the gates from here.
Status check_gates(const UnderWay& under_way, const project::Target& target, const Ports& ports) {
  for (const auto& kept : under_way.canaries) {
    if (const auto askable = check_tokens(kept.settings.gates, target.directory, ports); !askable) {
      return askable.error().within("promoting {}", kept.service);
    }
  }
  return {};
}

// Before anything is wished.
Status check_promotable(cluster::Client& client, const UnderWay& found, const kube::Release& release,
                        const Running& running, const project::Target& target, Promotion promotion,
                        const Ports& ports) {
  if (const auto open = check_undecided(found, canary::Stage::aborting, "'deployctl abort' tries it again"); !open) {
    return open;
  }
  if (const auto askable = promotion == Promotion::fully ? Status() : check_gates(found, target, ports); !askable) {
    return askable;
  }
  if (const auto ours = check_belonging(running, target); !ours) {
    return ours;
  }
  const auto there = check_canaries_there(client, found, target, ports);
  return there ? check_ingresses_there(client, found, release, ports) : there;
}

Seen seen_of(const kube::Release& release, std::unique_ptr<cluster::Client> client) {
  Seen seen;
  seen.observation.commit = release.commit;
  seen.observation.tag = release.tag;
  seen.observation.images = release.images;
  seen.world.cluster = std::move(client);
  return seen;
}

// Those that are not known run with the next rollout of the release.
void tell_of_tasks(const PromotedTasks& tasks, const kube::Release& release, const Ports& ports) {
  for (const auto& service : tasks.unknown) {
    ports.events.emit(events::Note{
        events::Note::Level::info,
        fmt::format("{} has tasks, and the project manifest here does not make of it what release {} has: 'deployctl "
                    "rollout' of what was released runs them",
                    service, release.number)});
  }
}

// A release about some services has carried the others forward as they were recorded, not as they may run by now: they
// are left alone again. Whether there are any.
bool keep_what_it_was_about(kube::Release& release) {
  const bool is_partial = std::ranges::any_of(release.objects, [&](const kube::Object& object) {
    const auto service = plan::service_of(object);
    return !service.empty() && !is_among(release.services, service);
  });
  if (is_partial) {
    plan::keep_services(release, release.services);
  }
  return is_partial;
}

// What has been taken back is no part of the release any more.
void leave_out(plan::Plan& plan, const std::vector<std::string>& services) {
  std::erase_if(plan.steps, [&](const plan::Step& step) { return is_among(services, step.service); });
}

// A switch that nobody has asked for goes on waiting.
void hold_switches(plan::Plan& plan, const CanaryRecord& record, const std::vector<std::string>& meant) {
  const auto waiting = record.waiting_sides();
  for (auto& step : plan.steps) {
    if (auto* change = std::get_if<plan::SwitchTraffic>(&step.action); change != nullptr && !change->goes_home) {
      const bool waits = std::ranges::find(waiting, step.service) != waiting.end();
      change->waits_for_promote = waits && !is_meant(meant, step.service);
    }
  }
}

// The release again, with what is left of its canaries and tasks.
void add_what_is_left(plan::Plan& plan, const CanaryRecord& record, const PromotedTasks& tasks,
                      const std::vector<std::string>& meant) {
  for (const auto& [service, own] : tasks.by_service) {
    plan::add_tasks(plan, service, own);
  }
  const auto left_out = record.taken_back();
  leave_out(plan, left_out);
  for (const auto& kept : record.all()) {
    if (!is_among(left_out, kept.service)) {
      plan::add_canary(plan, kept.service, kept.settings);
    }
  }
  for (const auto& [service, own] : tasks.by_service) {
    if (!is_among(left_out, service)) {
      plan::add_contracts(plan, service, own);
    }
  }
  hold_switches(plan, record, meant);
}

}  // namespace

Status promote(std::unique_ptr<cluster::Client> client, const project::Target& target,
               const std::vector<std::string>& services, Promotion promotion, ExecuteOptions options,
               const Ports& ports) {
  const LedgerScope scope{*target.project, target.environment, target.name_space};
  Ledger ledger(*client, scope);
  const auto under_way = find_under_way(ledger, services, ports);
  if (!under_way) {
    return under_way.error();
  }
  if (!*under_way) {
    return nothing_under_way(services);
  }
  const auto& found = **under_way;
  auto release = ledger.read(found.release.number, ports.stop);
  if (!release) {
    return release.error();
  }
  options.record.is_partial = keep_what_it_was_about(*release);
  const auto running = read_running(plan::services_of(*release), *client, target.name_space, ports.stop);
  if (!running) {
    return running.error();
  }
  if (const auto possible = check_promotable(*client, found, *release, *running, target, promotion, ports); !possible) {
    return possible;
  }
  const auto* const wish = promotion == Promotion::fully ? "promote-fully" : "promote";
  if (const auto written = write_wishes(*client, found, target, wish, ports); !written) {
    return written;
  }
  const auto sides = live_sides(*client, target, ports.stop);
  if (!sides) {
    return sides.error();
  }
  keep_scaled(*release, *running, *sides);
  const auto tasks = tasks_of(target, *release, ports);
  auto plan = plan::restore(*release, scope, sided(*sides));
  add_what_is_left(plan, CanaryRecord(found.release.progress, {}), tasks, services);
  options.record.action = fmt::format("promote release {}", found.release.number);
  options.record.older_commits = OlderCommits::allowed;
  options.record.continues = found.release.number;
  options.record.promoted = services;
  auto seen = seen_of(*release, std::move(client));
  const auto status = execute(plan, target, seen, options, ports).status;
  if (status) {
    tell_of_tasks(tasks, *release, ports);
  }
  return status;
}

}  // namespace deployctl::execute
