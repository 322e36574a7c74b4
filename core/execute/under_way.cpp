#include "core/execute/under_way.hpp"

#include "core/base/text.hpp"
#include "core/canary/parts.hpp"
#include "core/execute/actor.hpp"
#include "core/execute/canary.hpp"
#include "core/execute/find.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr int attempts_at_wish = 10;  // the Deployment changes with its pods

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

}  // namespace

bool is_meant(const std::vector<std::string>& services, const std::string& service) {
  return services.empty() || std::ranges::find(services, service) != services.end();
}

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

Error nothing_under_way(const std::vector<std::string>& services) {
  return Error::not_found("nothing{} waits or is under way",
                          services.empty() ? std::string() : " of " + base::join(services, ", "))
      .with_hint("'deployctl status' shows what runs, 'deployctl undo' goes back to the release before");
}

Status check_undecided(const UnderWay& under_way, canary::Stage decided, std::string_view hint) {
  for (const auto& kept : under_way.canaries) {
    if (kept.progress.stage == decided) {
      return Error::refused("the canary of {} is {}", kept.service, canary::in_words(kept.settings, kept.progress))
          .with_hint("{}", hint);
    }
  }
  return {};
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

}  // namespace deployctl::execute
