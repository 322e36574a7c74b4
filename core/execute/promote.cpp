#include "core/execute/promote.hpp"

#include "core/base/text.hpp"
#include "core/execute/actor.hpp"
#include "core/execute/canary.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/lock.hpp"
#include "core/plan/canary.hpp"
#include "core/plan/restore.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Error;
using base::Result;
using base::Status;

// A release whose canaries are under way, and those that are meant.
struct UnderWay {
  kube::ReleaseSummary release;
  std::vector<KeptCanary> open;
  std::vector<KeptCanary> meant;
};

bool is_meant(const std::vector<std::string>& services, const std::string& service) {
  return services.empty() || std::ranges::find(services, service) != services.end();
}

Error nothing_under_way(const std::vector<std::string>& services) {
  return Error::not_found("no canary{} is under way",
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
  const auto* release = release_with_open_canaries(*releases);
  if (release == nullptr) {
    return std::optional<UnderWay>();
  }
  UnderWay found{.release = *release, .open = {}, .meant = {}};
  for (auto& kept : CanaryRecord(release->progress, {}).all()) {
    if (kept.is_over()) {
      continue;
    }
    if (is_meant(services, kept.service)) {
      found.meant.push_back(kept);
    }
    found.open.push_back(std::move(kept));
  }
  return found.meant.empty() ? std::optional<UnderWay>() : std::optional(std::move(found));
}

// For the run that walks the canary, be it another one or ours.
Status write_wish(cluster::Client& client, const UnderWay& under_way, const project::Target& target,
                  std::string_view wish, const Ports& ports) {
  const auto text = fmt::format("{} {}", wish, actor(ports.environment, ports.files));
  const json::Value patch = {{"metadata", {{"annotations", {{std::string(canary_wish_annotation), text}}}}}};
  for (const auto& kept : under_way.meant) {
    const kube::ObjectKey key{"apps/v1", "Deployment", target.name_space, canary::canary_name(kept.service)};
    const auto patched = client.patch(key, cluster::PatchType::merge, patch, cluster::DryRun::no, ports.stop);
    if (!patched && patched.error().code != base::ErrorCode::not_found) {
      return patched.error();
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

// Takes back what is meant and writes it into the record of the release, which is over when no canary is left.
Status take_back(Ledger& ledger, Lock& lock, const UnderWay& under_way, cluster::Client& client,
                 const project::Target& target, const Ports& ports) {
  const auto number = under_way.release.number;
  if (const auto ours = ledger.mark_interrupted(under_way.release, lock.epoch(), ports.stop); !ours) {
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
  const auto reason = "aborted by " + actor(ports.environment, ports.files);
  for (auto kept : under_way.meant) {
    kept.progress.reason = reason;
    if (const auto back = abort_recorded(*release, kept, record, client, target.directory, ports); !back) {
      return back.error().within("taking back the canary of {}", kept.service);
    }
    ports.events.emit(
        events::Note{events::Note::Level::info,
                     fmt::format("the canary of {} is gone; its stable pods have all requests", kept.service)});
  }
  const bool is_over = under_way.meant.size() == under_way.open.size();
  return is_over ? ledger.finish(number, kube::ReleaseState::failed, reason, {}) : Status();
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
  const auto* const wish = promotion == Promotion::fully ? "promote-fully" : "promote";
  if (const auto written = write_wish(*client, found, target, wish, ports); !written) {
    return written;
  }
  auto plan = plan::restore(*release, scope);
  for (const auto& kept : CanaryRecord(found.release.progress, {}).all()) {
    plan::add_canary(plan, kept.service, kept.settings);
  }
  options.record.action = fmt::format("promote release {}", found.release.number);
  options.record.older_commits = OlderCommits::allowed;
  auto seen = seen_of(*release, std::move(client));
  return execute(plan, target, seen, options, ports).status;
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
  if (const auto written = write_wish(client, **under_way, target, "abort", ports); !written) {
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
