// What a run would change: what releases before it have made, and what the API server says to the objects it applies.
#include "core/base/text.hpp"
#include "core/execute/at_once.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/commit_order.hpp"
#include "core/execute/dry_run.hpp"
#include "core/execute/observe_parts.hpp"
#include "core/execute/prune.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/prune.hpp"
#include "core/plan/restore.hpp"

#include <algorithm>
#include <mutex>

namespace deployctl::execute {
namespace {

// Fills the part of the observation that a plan is shown with.
class ChangeLook : Look {
 public:
  ChangeLook(const Looking& looking, Seen& seen) : Look(looking, seen) {}

  base::Status run() {
    for (const auto part : {&ChangeLook::see_releases, &ChangeLook::see_changes, &ChangeLook::see_leftovers}) {
      if (ports_.stop.stop_requested()) {
        return base::Error::interrupted();
      }
      if (const auto status = (this->*part)(); !status) {
        return status;
      }
    }
    return {};
  }

 private:
  // For showing what would be pruned, for not building an older commit in vain, and for knowing whether a canary has
  // anything to be compared with. The run itself looks again where another one may have been at work meanwhile.
  base::Status see_releases() {
    const bool is_worth_it = options_.with_dry_run || wish_.build || wish_.push || has_canary();
    if (!wish_.rollout || !is_worth_it || !seen_.observation.namespace_exists) {
      return {};
    }
    Ledger ledger(*seen_.world.cluster, ledger_scope());
    auto releases = seen_.releases ? base::Result<std::vector<kube::ReleaseSummary>>(*seen_.releases)
                                   : ledger.list_with_inventories(ports_.stop);
    if (!releases && options_.with_dry_run && releases.error().code == base::ErrorCode::unauthorized) {
      ports_.events.emit(events::Note{events::Note::Level::warning,
                                      "what would be pruned cannot be told: " + base::to_string(releases.error())});
      return {};
    }
    if (!releases) {
      return releases.error();
    }
    seen_.observation.releases = std::move(*releases);
    const auto* live = kube::live_release(seen_.observation.releases);
    if (options_.with_dry_run && !wish_.services.empty()) {
      if (const auto seen = see_what_is_left_alone(ledger, live); !seen) {
        return seen;
      }
    }
    if (const auto seen = options_.with_dry_run ? see_open_canaries(ledger, live) : base::Status(); !seen) {
      return seen;
    }
    return live == nullptr ? base::Status() : see_commit_order(*live);
  }

  base::Status see_commit_order(const kube::ReleaseSummary& live) {
    if (options_.older_commits == OlderCommits::allowed) {
      return {};
    }
    auto order = check_commit_order(live, seen_.observation.commit, target_.directory, ports_.git);
    const bool is_refused = !order && order.error().code == base::ErrorCode::refused;
    if (!is_refused || options_.older_commits == OlderCommits::refused) {
      return order;
    }
    ports_.events.emit(
        events::Note{events::Note::Level::warning,
                     fmt::format("a rollout would be refused: {} ({})", order.error().message, order.error().hint)});
    return {};
  }

  // What a canary has changed of a route is no difference to what is planned: it is given back, or the run is its own.
  base::Status see_open_canaries(Ledger& ledger, const kube::ReleaseSummary* live) {
    const auto* open = release_under_way(seen_.observation.releases);
    if (open == nullptr || live == nullptr) {
      return {};
    }
    auto& without = seen_.observation.without_canary;
    for (const auto& kept : CanaryRecord(open->progress, {}).all()) {
      if (!kept.is_over()) {
        without[kept.service] = {};
      }
    }
    const auto release =
        without.empty() ? base::Result<kube::Release>(kube::Release()) : ledger.read(live->number, ports_.stop);
    if (!release) {
      return release.error();
    }
    for (const auto& object : release->objects) {
      if (const auto service = without.find(plan::service_of(object)); service != without.end()) {
        service->second.push_back(object);
      }
    }
    return {};
  }

  // Of a run about some services; what it prunes is what neither it nor the others have.
  base::Status see_what_is_left_alone(Ledger& ledger, const kube::ReleaseSummary* live) {
    seen_.observation.left_alone.emplace();
    if (live == nullptr) {
      return {};
    }
    auto release = ledger.read(live->number, ports_.stop);
    if (!release) {
      return release.error();
    }
    std::vector<std::string> others;
    for (const auto& object : release->objects) {
      if (auto service = plan::service_of(object); std::ranges::find(wish_.services, service) == wish_.services.end()) {
        others.push_back(std::move(service));
      }
    }
    plan::keep_services(*release, others);
    seen_.observation.left_alone = kube::inventory(*release, target_.name_space);
    return {};
  }

  bool has_canary() const {
    return std::ranges::any_of(services_, [](const project::Service* service) {
      return service->strategy.type == project::Strategy::Type::canary;
    });
  }

  base::Status see_changes() {
    if (!options_.with_dry_run) {
      return {};
    }
    const auto tried = dry_run(target_, services_, wish_.services, seen_.observation, *seen_.world.cluster, ports_);
    return tried ? see_secrets_there() : tried;
  }

  // A Secret is named after what it holds: one that is there is the one that is wanted.
  base::Status see_secrets_there() {
    for (const auto& [service, name] : seen_.observation.secret_names) {
      const kube::ObjectKey key{"v1", "Secret", target_.name_space, name};
      const auto there = is_there(key);
      if (!there && there.error().code != base::ErrorCode::unauthorized) {
        return there.error();
      }
      if (there) {
        seen_.observation.expected[key].change = *there ? plan::Change::none : plan::Change::create;
      }
    }
    return {};
  }

  base::Result<bool> is_there(const kube::ObjectKey& key) {
    if (!seen_.observation.namespace_exists) {
      return false;
    }
    const auto live = seen_.world.cluster->get(key, ports_.stop);
    if (!live && live.error().code != base::ErrorCode::not_found) {
      return live.error().within("looking for {}", kube::to_string(key));
    }
    return live.has_value();
  }

  // The ledger knows what releases have made, not what has become of it.
  base::Status see_leftovers() {
    if (!options_.with_dry_run) {
      return {};
    }
    const auto plan = plan::release(target_, seen_.observation, wish_);
    if (!plan) {
      return plan.error();
    }
    tell_kept(*plan);
    std::mutex mutex;
    Attempts attempts;
    for (const auto& step : plan->steps) {
      if (const auto* prune = std::get_if<plan::PruneObject>(&step.action)) {
        attempts.emplace_back([this, &mutex, prune] {
          const auto goes = would_go(*prune);
          const std::scoped_lock lock(mutex);
          if (goes && !*goes) {
            seen_.observation.not_pruned.insert(prune->key);
          }
          return goes ? base::Status() : goes.error().within("looking for what would be pruned");
        });
      }
    }
    return try_at_once(attempts);
  }

  void tell_kept(const plan::Plan& plan) {
    const auto& left_alone = seen_.observation.left_alone;
    const auto* live = kube::live_release(seen_.observation.releases);
    if (live == nullptr || !(wish_.services.empty() || left_alone)) {
      return;
    }
    auto desired = plan::desired_keys(plan);
    if (left_alone) {
      desired.insert(desired.end(), left_alone->begin(), left_alone->end());
    }
    tell_kept_claims(*seen_.world.cluster, plan::kept_claims(*live, desired), ports_);
  }

  // What cannot be looked at counts as there.
  base::Result<bool> would_go(const plan::PruneObject& prune) {
    const auto served = seen_.world.cluster->served(prune.key, ports_.stop);
    const auto live =
        served ? seen_.world.cluster->get(*served, ports_.stop) : base::Result<kube::Object>(served.error());
    if (live) {
      return !plan::is_of_another_service(*live, prune.services) &&
             plan::why_not_pruned(*live, target_, cluster::field_manager).empty();
    }
    const auto code = live.error().code;
    if (code == base::ErrorCode::not_found || code == base::ErrorCode::unauthorized) {
      return code == base::ErrorCode::unauthorized;
    }
    return live.error();
  }
};

}  // namespace

base::Status see_changes(const Looking& looking, Seen& seen) {
  return ChangeLook(looking, seen).run();
}

}  // namespace deployctl::execute
