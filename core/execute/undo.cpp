#include "core/execute/undo.hpp"

#include "core/base/text.hpp"
#include "core/execute/at_once.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/preflight.hpp"
#include "core/execute/release_run.hpp"
#include "core/execute/running.hpp"
#include "core/io/clock.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/restore.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace deployctl::execute {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

Error nothing_recorded(const LedgerScope& scope) {
  return Error::not_found("no release of {} is recorded in namespace {}", scope.project, scope.name_space)
      .with_hint(
          "'deployctl release' and 'deployctl rollout' record what they do; for what was rolled out before, "
          "'kubectl rollout undo' takes the pods back, and nothing else");
}

using Releases = std::vector<kube::ReleaseSummary>;

// What the release has of the services; of all of it when none are named.
Result<kube::Release> read_part(Ledger& ledger, long long number, const std::vector<std::string>& services,
                                const Ports& ports) {
  auto release = ledger.read(number, ports.stop);
  if (release && !services.empty()) {
    plan::keep_services(*release, services);
  }
  return release;
}

// The release before the live one may have been about other services: then it had these as they are now, and the newest
// that had them otherwise is meant.
Result<long long> newest_with_other(const std::vector<std::string>& services, Ledger& ledger, const Releases& releases,
                                    const Ports& ports) {
  const auto live = kube::live_release(releases)->number;
  const auto now = read_part(ledger, live, services, ports);
  if (!now) {
    return now.error();
  }
  for (const auto& release : releases) {
    if (release.state != kube::ReleaseState::superseded) {
      continue;
    }
    const auto part = read_part(ledger, release.number, services, ports);
    if (!part) {
      return part.error();
    }
    if (!part->objects.empty() && !plan::bring_the_same(*part, *now)) {
      return release.number;
    }
  }
  return Error::not_found("no release before {} has {} otherwise than it is", live, base::join(services, ", "))
      .with_hint("'deployctl history' shows the releases");
}

// Whether the last release about one of them was not carried out whole: what it did to them is in the cluster, and in
// no release since, which had them as they were recorded before.
bool was_left_half_done(const std::vector<std::string>& services, const Releases& newest_first) {
  using kube::ReleaseState;
  const auto is_about = [&](const kube::ReleaseSummary& release) {
    return std::ranges::find_first_of(release.services, services) != release.services.end();
  };
  for (const auto& release : newest_first) {
    const bool is_in_the_cluster =
        release.was_deployed() || release.state == ReleaseState::failed || release.state == ReleaseState::interrupted;
    if (is_in_the_cluster && is_about(release)) {
      return !release.was_deployed();
    }
  }
  return false;
}

Result<long long> target_of(const UndoWish& wish, Ledger& ledger, const Releases& releases, const Ports& ports) {
  const auto number = kube::undo_target(releases, wish.to);
  const bool is_settled = !number || wish.to || wish.services.empty();
  if (is_settled) {
    return number;
  }
  const auto live = kube::live_release(releases)->number;
  const bool is_live = live == *number || was_left_half_done(wish.services, releases);
  return is_live ? Result<long long>(live) : newest_with_other(wish.services, ledger, releases, ports);
}

// Their values are nowhere but in themselves.
Status require_secrets(const kube::Release& release, cluster::Client& client, const LedgerScope& scope,
                       const Ports& ports) {
  for (const auto& name : release.secrets) {
    const auto secret = client.get({"v1", "Secret", scope.name_space, name}, ports.stop);
    if (!secret && secret.error().code == ErrorCode::not_found) {
      return Error::refused("release {} needs secret/{}, which is gone", release.number, name)
          .with_hint("its values are recorded nowhere; roll out that commit again with its secrets set");
    }
    if (!secret) {
      return secret.error();
    }
  }
  return {};
}

// Several services may have been changed by different releases, and going back to one of these is no way back for all.
Status tell_what_is_as_it_was(Ledger& ledger, const UndoWish& wish, const kube::Release& release, const Ports& ports) {
  const auto releases = ledger.list(ports.stop);
  const auto* live = releases ? kube::live_release(*releases) : nullptr;
  if (live == nullptr || live->number == release.number || wish.services.size() < 2) {
    return releases ? Status() : releases.error();
  }
  const auto now = ledger.read(live->number, ports.stop);
  if (!now) {
    return now.error();
  }
  for (const auto& service : wish.services) {
    auto before = release;
    auto after = *now;
    plan::keep_services(before, {service});
    plan::keep_services(after, {service});
    if (plan::bring_the_same(before, after)) {
      ports.events.emit(events::Note{events::Note::Level::warning,
                                     fmt::format("release {} has {} as it is now: 'deployctl undo {}' by itself goes "
                                                 "back to the newest that has it otherwise",
                                                 release.number, service, service)});
    }
  }
  return {};
}

// The release in the place of a project manifest, with as many pods as autoscalers want, and what preflight goes by.
Result<Seen> look(kube::Release& release, std::unique_ptr<cluster::Client> client, const project::Target& target,
                  const Ports& ports) {
  Seen seen;
  seen.observation.commit = release.commit;
  seen.observation.tag = release.tag;
  seen.observation.images = release.images;
  Result<std::map<std::string, generate::Side>> sides = std::map<std::string, generate::Side>();
  Result<std::optional<kube::AccessRules>> access = std::optional<kube::AccessRules>();
  Result<Running> running = Running();
  run_at_once({[&] { sides = live_sides(*client, target, ports.stop); },
               [&] { access = read_access(*client, target.name_space, ports.stop); },
               [&] { running = read_running(plan::services_of(release), *client, target.name_space, ports.stop); }});
  if (!sides || !access || !running) {
    return !sides ? sides.error() : !access ? access.error() : running.error();
  }
  if (const auto ours = check_belonging(*running, target); !ours) {
    return ours.error();
  }
  seen.observation.live_sides = std::move(*sides);
  seen.access = std::move(*access);
  keep_scaled(release, *running, seen.observation.live_sides);
  seen.observation.deployments = std::move(running->deployments);
  seen.green = std::move(running->green);
  seen.world.cluster = std::move(client);
  return seen;
}

void tell(const kube::Release& release, const UndoWish& wish, const Ports& ports) {
  const auto made = io::parse_rfc3339(release.started);
  const auto age =
      made ? base::human_duration(std::max(base::Milliseconds(0), ports.clock.now() - *made)) : "some time";
  ports.events.emit(events::Note{
      events::Note::Level::info,
      fmt::format("going back to release {}{}{}, made {} ago by {}", release.number, brief_commit(release.commit),
                  wish.services.empty() ? "" : " with " + base::join(wish.services, ", "), age,
                  base::printable(release.actor))});
}

}  // namespace

Result<kube::Release> release_to_go_back_to(cluster::Client& client, const project::Target& target,
                                            const UndoWish& wish, const Ports& ports) {
  Ledger ledger(client, {*target.project, target.environment, target.name_space});
  const auto releases = ledger.list(ports.stop);
  if (!releases) {
    return releases.error();
  }
  if (releases->empty()) {
    return nothing_recorded(ledger.scope());
  }
  const auto number = target_of(wish, ledger, *releases, ports);
  if (!number) {
    return number.error();
  }
  const auto possible = kube::check_compatible(*releases, *number, wish.services);
  if (!possible && wish.incompatible == Incompatible::refused) {
    auto refused = possible.error();
    refused.hint += "; if that release does all the same: --allow-incompatible";
    return refused;
  }
  auto release = read_part(ledger, *number, wish.services, ports);
  if (release && release->objects.empty() && !wish.services.empty()) {
    return Error::not_found("release {} has nothing of {}", *number, base::join(wish.services, ", "));
  }
  return release;
}

namespace {

// Whoever held the lock until now may have made a release of its own, or begun a task that there is no way back behind.
Status check_still_meant(cluster::Client& client, const project::Target& target, const UndoWish& wish,
                         const kube::Release& release, const Ports& ports) {
  const auto now = release_to_go_back_to(client, target, wish, ports);
  if (!now) {
    return now.error();
  }
  if (now->number != release.number) {
    return Error::refused("another run has ended meanwhile: going back means release {} now, and not {}", now->number,
                          release.number)
        .with_hint("'deployctl history' shows what happened; run 'deployctl undo' again for the release that is meant");
  }
  return require_secrets(release, client, {*target.project, target.environment, target.name_space}, ports);
}

}  // namespace

Status undo(std::unique_ptr<cluster::Client> client, const project::Target& target, const UndoWish& wish,
            const kube::Release& release, ExecuteOptions options, const Ports& ports) {
  const LedgerScope scope{*target.project, target.environment, target.name_space};
  if (const auto there = require_secrets(release, *client, scope, ports); !there) {
    return there;
  }
  tell(release, wish, ports);
  Ledger ledger(*client, scope);
  if (const auto told = tell_what_is_as_it_was(ledger, wish, release, ports); !told) {
    return told;
  }
  auto restored = release;
  auto seen = look(restored, std::move(client), target, ports);
  if (!seen) {
    return seen.error();
  }
  options.record.action = fmt::format("undo to release {}", release.number);
  options.record.older_commits = OlderCommits::allowed;
  options.record.is_partial = !wish.services.empty();
  options.record.is_still_meant = [&] { return check_still_meant(*seen->world.cluster, target, wish, release, ports); };
  options.force = cluster::Force::yes;
  const auto plan = plan::restore(restored, scope, sided(seen->observation.live_sides));
  if (const auto ready = preflight(plan, target, *seen, {.force = options.force, .services = wish.services}, ports);
      !ready) {
    return ready;
  }
  return execute(plan, target, *seen, options, ports).status;
}

}  // namespace deployctl::execute
