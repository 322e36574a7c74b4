#include "core/execute/promote.hpp"

#include "core/base/text.hpp"
#include "core/canary/parts.hpp"
#include "core/execute/actor.hpp"
#include "core/execute/canary.hpp"
#include "core/execute/find.hpp"
#include "core/execute/gates.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/journal.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/lock.hpp"
#include "core/execute/promoted_tasks.hpp"
#include "core/execute/sides.hpp"
#include "core/json/reader.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/canary.hpp"
#include "core/plan/restore.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr int attempts_at_wish = 10;  // the Deployment changes with its pods

// A release of which something waits or is walked, and what is meant of it.
struct UnderWay {
  kube::ReleaseSummary release;
  std::vector<KeptCanary> canaries;
  std::vector<std::string> sides;
  bool is_all = true;  // nothing else of it is open
};

bool is_among(const std::vector<std::string>& services, const std::string& service) {
  return std::ranges::find(services, service) != services.end();
}

bool is_meant(const std::vector<std::string>& services, const std::string& service) {
  return services.empty() || is_among(services, service);
}

Error nothing_under_way(const std::vector<std::string>& services) {
  return Error::not_found("nothing{} waits or is under way",
                          services.empty() ? std::string() : " of " + base::join(services, ", "))
      .with_hint("'deployctl status' shows what runs, 'deployctl undo' goes back to the release before");
}

// Nothing when there is none.
Result<std::optional<UnderWay>> find_under_way(Ledger& ledger, const std::vector<std::string>& services,
                                               const Ports& ports) {
  const auto releases = ledger.list(ports.stop);
  if (!releases) {
    return releases.error();
  }
  const auto* release = release_under_way(*releases);
  if (release == nullptr) {
    return std::optional<UnderWay>();
  }
  UnderWay found{.release = *release, .canaries = {}, .sides = {}};
  const CanaryRecord record(release->progress, {});
  for (auto& kept : record.all()) {
    if (kept.is_over()) {
      continue;
    }
    if (is_meant(services, kept.service)) {
      found.canaries.push_back(std::move(kept));
    } else {
      found.is_all = false;
    }
  }
  for (auto& service : record.waiting_sides()) {
    if (is_meant(services, service)) {
      found.sides.push_back(std::move(service));
    } else {
      found.is_all = false;
    }
  }
  return found.canaries.empty() && found.sides.empty() ? std::optional<UnderWay>() : std::optional(std::move(found));
}

// What has been decided cannot be wished otherwise.
Status check_undecided(const UnderWay& under_way, canary::Stage decided, std::string_view hint) {
  for (const auto& kept : under_way.canaries) {
    if (kept.progress.stage == decided) {
      return Error::refused("the canary of {} is {}", kept.service, canary::in_words(kept.settings, kept.progress))
          .with_hint("{}", hint);
    }
  }
  return {};
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
              "'deployctl abort {}' takes back what is left of the canary, and the next 'deployctl rollout' "
              "begins it anew",
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

// For the run that walks the canary, be it another one or ours. `promote` does not take the place of an abort.
Status write_wish(cluster::Client& client, const kube::ObjectKey& deployment, std::string_view wish,
                  const std::string& by, const Ports& ports) {
  for (int attempt = 1;; ++attempt) {
    const auto live = find_object(client, deployment, ports.stop);
    if (!live || !*live) {
      return live ? Status() : live.error();
    }
    const auto before = json::Reader((*live)->body).at("metadata", "annotations", canary_wish_annotation).string_or();
    if (wish != "abort" && before.starts_with("abort ")) {
      return Error::refused("{} is being aborted by {}", deployment.name,
                            base::printable(base::split_once(before, ' ').second));
    }
    const json::Value patch = {
        {"metadata",
         {{"resourceVersion", (*live)->resource_version()},
          {"annotations", {{std::string(canary_wish_annotation), fmt::format("{} {}", wish, by)}}}}}};
    const auto patched = client.patch(deployment, cluster::PatchType::merge, patch, cluster::DryRun::no, ports.stop);
    if (patched || patched.error().code == base::ErrorCode::not_found) {
      return {};
    }
    if (patched.error().code != base::ErrorCode::conflict || attempt == attempts_at_wish) {
      return patched.error();
    }
  }
}

Status write_wishes(cluster::Client& client, const UnderWay& under_way, const project::Target& target,
                    std::string_view wish, const Ports& ports) {
  const auto by = actor(ports.environment, ports.files);
  for (const auto& kept : under_way.canaries) {
    const kube::ObjectKey key{"apps/v1", "Deployment", target.name_space, canary::canary_name(kept.service)};
    if (const auto written = write_wish(client, key, wish, by, ports); !written) {
      return written;
    }
  }
  return {};
}

Seen seen_of(const kube::Release& release, std::unique_ptr<cluster::Client> client) {
  Seen seen;
  seen.observation.commit = release.commit;
  seen.observation.tag = release.tag;
  seen.observation.images = release.images;
  seen.world.cluster = std::move(client);
  return seen;
}

struct Live {
  kube::ReleaseSummary summary;
  kube::Release release;
};

// Nothing when there is none.
Result<std::optional<Live>> read_live(Ledger& ledger, const Ports& ports) {
  const auto releases = ledger.list(ports.stop);
  if (!releases) {
    return releases.error();
  }
  const auto* live = kube::live_release(*releases);
  if (live == nullptr) {
    return std::optional<Live>();
  }
  auto release = ledger.read(live->number, ports.stop);
  return release ? Result<std::optional<Live>>(Live{*live, std::move(*release)}) : release.error();
}

void tell(std::string text, const Ports& ports) {
  ports.events.emit(events::Note{events::Note::Level::info, std::move(text)});
}

Status let_side_go(const std::string& service, CanaryRecord& record, cluster::Client& client,
                   const project::Target& target, const Ports& ports) {
  if (const auto gone = abort_side(target, service, client, ports); !gone) {
    return gone.error().within("letting the new side of {} go", service);
  }
  return record.note_side_gone(service);
}

// A release of its own, so that history and `undo` know what of the other stays. Nothing when that is what was live.
Status record_what_stays(Ledger& ledger, const Lock& lock, kube::Release stays, const kube::ReleaseSummary& live,
                         const Ports& ports) {
  if (kube::content_digest(stays) == live.content) {
    return {};
  }
  const auto open = stays.number;
  stays.actor = actor(ports.environment, ports.files);
  stays.action = fmt::format("abort of release {}", open);
  stays.started = io::to_rfc3339(ports.clock.now());
  stays.epoch = lock.epoch();
  const auto what = fmt::format("what release {} did to {} stays", open, base::join(stays.services, ", "));
  const auto number = ledger.begin(std::move(stays), ports.stop);
  if (!number) {
    return number.error();
  }
  tell(fmt::format("release {}: {}", *number, what), ports);
  return ledger.finish(*number, kube::ReleaseState::deployed, what, {});
}

// Takes back what is meant and writes it into the record of the release, which is over when nothing of it is left and
// waits as before when something is.
Status take_back(Ledger& ledger, Lock& lock, const UnderWay& under_way, cluster::Client& client,
                 const project::Target& target, const Ports& ports) {
  const auto number = under_way.release.number;
  if (const auto ours = ledger.claim(under_way.release, lock.epoch(), ports.stop); !ours) {
    return ours;
  }
  const auto release = ledger.read(number, ports.stop);
  if (!release) {
    return release.error();
  }
  CanaryRecord record(under_way.release.progress, [&](const json::Value& progress) {
    const auto held = lock.still_held();
    return held ? ledger.note_progress(number, progress, {}) : held;
  });
  const auto live = read_live(ledger, ports);
  if (!live) {
    return live.error();
  }
  const auto reason = "aborted by " + actor(ports.environment, ports.files);
  for (auto kept : under_way.canaries) {
    kept.progress.reason = reason;
    if (const auto back = abort_recorded({*release, *live ? &(*live)->release : nullptr, kept, record}, client, ports);
        !back) {
      return back.error().within("taking back the canary of {}", kept.service);
    }
    tell(fmt::format("the canary of {} is gone; its stable pods have all requests", kept.service), ports);
  }
  for (const auto& service : under_way.sides) {
    if (const auto gone = let_side_go(service, record, client, target, ports); !gone) {
      return gone;
    }
  }
  if (!under_way.is_all) {
    return {};
  }
  if (const auto ended = ledger.finish(number, kube::ReleaseState::failed, reason, {}); !ended) {
    return ended;
  }
  return *live && was_left_waiting(under_way.release)
             ? record_what_stays(ledger, lock, plan::what_stays(*release, (*live)->release, record.taken_back()),
                                 (*live)->summary, ports)
             : Status();
}

// Those that are not known run with the next rollout of the release.
void tell_of_tasks(const PromotedTasks& tasks, const kube::Release& release, const Ports& ports) {
  for (const auto& service : tasks.unknown) {
    tell(fmt::format("{} has tasks, and the project manifest here does not make of it what release {} has: 'deployctl "
                     "rollout' of what was released runs them",
                     service, release.number),
         ports);
  }
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
  const auto release = ledger.read(found.release.number, ports.stop);
  if (!release) {
    return release.error();
  }
  if (const auto open = check_undecided(found, canary::Stage::aborting, "'deployctl abort' tries it again"); !open) {
    return open;
  }
  if (const auto askable = promotion == Promotion::fully ? Status() : check_gates(found, target, ports); !askable) {
    return askable;
  }
  if (const auto there = check_canaries_there(*client, found, target, ports); !there) {
    return there;
  }
  if (const auto there = check_ingresses_there(*client, found, *release, ports); !there) {
    return there;
  }
  const auto* const wish = promotion == Promotion::fully ? "promote-fully" : "promote";
  if (const auto written = write_wishes(*client, found, target, wish, ports); !written) {
    return written;
  }
  const auto sides = live_sides(*client, target, ports.stop);
  if (!sides) {
    return sides.error();
  }
  auto plan = plan::restore(*release, scope, sided(*sides));
  const auto tasks = tasks_of(target, *release, ports);
  for (const auto& [service, own] : tasks.by_service) {
    plan::add_tasks(plan, service, own);
  }
  const CanaryRecord record(found.release.progress, {});
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
  hold_switches(plan, record, services);
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

Status abort_release(cluster::Client& client, const project::Target& target, const AbortOptions& options,
                     const Ports& ports) {
  const LedgerScope scope{*target.project, target.environment, target.name_space};
  Ledger ledger(client, scope);
  const auto under_way = find_under_way(ledger, options.services, ports);
  if (!under_way) {
    return under_way.error();
  }
  if (!*under_way) {
    return nothing_under_way(options.services);
  }
  if (const auto open =
          check_undecided(**under_way, canary::Stage::promoting, "'deployctl undo' goes back to the release before");
      !open) {
    return open;
  }
  if (const auto written = write_wishes(client, **under_way, target, "abort", ports); !written) {
    return written;
  }
  auto lock = Lock::acquire(
      client, scope, {.holder = actor(ports.environment, ports.files), .what = "abort", .wait = options.lock_timeout},
      ports.events, ports.stop);
  if (!lock) {
    return lock.error();
  }
  const auto left = find_under_way(ledger, options.services, ports);
  if (!left) {
    return left.error();
  }
  return *left ? take_back(ledger, *lock, **left, client, target, ports) : Status();
}

}  // namespace deployctl::execute
