#include "core/execute/abort.hpp"

#include "core/base/text.hpp"
#include "core/execute/actor.hpp"
#include "core/execute/canary.hpp"
#include "core/execute/lock.hpp"
#include "core/execute/sides.hpp"
#include "core/execute/under_way.hpp"
#include "core/kube/release_history.hpp"
#include "core/plan/restore.hpp"

namespace deployctl::execute {
namespace {

using base::Result;
using base::Status;

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

// Nothing when nothing waits that can still be taken back.
Result<std::optional<UnderWay>> find_what_can_be_aborted(Ledger& ledger, const std::vector<std::string>& services,
                                                         const Ports& ports) {
  auto found = find_under_way(ledger, services, ports);
  if (!found || !*found) {
    return found;
  }
  const auto open =
      check_undecided(**found, canary::Stage::promoting, "'deployctl undo' goes back to the release before");
  return open ? std::move(found) : Result<std::optional<UnderWay>>(open.error());
}

}  // namespace

Status abort_release(cluster::Client& client, const project::Target& target, const AbortOptions& options,
                     const Ports& ports) {
  const LedgerScope scope{*target.project, target.environment, target.name_space};
  Ledger ledger(client, scope);
  const auto under_way = find_what_can_be_aborted(ledger, options.services, ports);
  if (!under_way) {
    return under_way.error();
  }
  if (!*under_way) {
    return nothing_under_way(options.services);
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
  const auto left = find_what_can_be_aborted(ledger, options.services, ports);
  if (!left) {
    return left.error();
  }
  return *left ? take_back(ledger, *lock, **left, client, target, ports) : Status();
}

}  // namespace deployctl::execute
