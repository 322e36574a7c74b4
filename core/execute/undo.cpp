#include "core/execute/undo.hpp"

#include "core/base/text.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/ledger.hpp"
#include "core/plan/restore.hpp"

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

Result<kube::Release> choose(Ledger& ledger, const UndoWish& wish, const Ports& ports) {
  const auto releases = ledger.list(ports.stop);
  if (!releases) {
    return releases.error();
  }
  if (releases->empty()) {
    return nothing_recorded(ledger.scope());
  }
  const auto number = kube::undo_target(*releases, wish.to);
  if (!number) {
    return number.error();
  }
  const auto possible = kube::check_compatible(*releases, *number, wish.services);
  if (!possible && wish.incompatible == Incompatible::refused) {
    auto refused = possible.error();
    refused.hint += "; if that release does all the same: --allow-incompatible";
    return refused;
  }
  auto release = ledger.read(*number, ports.stop);
  if (release && !wish.services.empty()) {
    plan::keep_services(*release, wish.services);
    if (release->objects.empty()) {
      return Error::not_found("release {} has nothing of {}", *number, base::join(wish.services, ", "));
    }
  }
  return release;
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

Seen seen_of(const kube::Release& release, std::unique_ptr<cluster::Client> client) {
  Seen seen;
  seen.observation.commit = release.commit;
  seen.observation.tag = release.tag;
  seen.observation.images = release.images;
  seen.world.cluster = std::move(client);
  return seen;
}

}  // namespace

Status undo(std::unique_ptr<cluster::Client> client, const project::Target& target, const UndoWish& wish,
            ExecuteOptions options, const Ports& ports) {
  const LedgerScope scope{*target.project, target.environment, target.name_space};
  Ledger ledger(*client, scope);
  const auto release = choose(ledger, wish, ports);
  if (!release) {
    return release.error();
  }
  if (const auto there = require_secrets(*release, *client, scope, ports); !there) {
    return there;
  }
  const auto sides = live_sides(*client, target, ports.stop);
  if (!sides) {
    return sides.error();
  }
  options.record.action = fmt::format("undo to release {}", release->number);
  options.record.older_commits = OlderCommits::allowed;
  options.record.is_partial = !wish.services.empty();
  options.force = cluster::Force::yes;
  auto seen = seen_of(*release, std::move(client));
  return execute(plan::restore(*release, scope, sided(*sides)), target, seen, options, ports).status;
}

}  // namespace deployctl::execute
