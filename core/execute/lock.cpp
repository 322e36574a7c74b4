// Leader election's rules (client-go, tools/leaderelection) with two differences: each holder makes a new epoch, even
// the same one again, and a renewal that fails does not end the run, because a rollout can be watched without writing
// anything: it is the next write that demands proof.
#include "core/execute/lock.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

namespace deployctl::execute {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using kube::Lease;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds shortest_pause{200};
constexpr milliseconds longest_pause{1'000};
constexpr seconds reminder_pause{60};
constexpr seconds retry_pause{1};

std::string unique(const std::string& holder) {
  std::random_device entropy;
  return fmt::format("{}/{:08x}", holder, entropy());
}

// "ada@laptop" of "ada@laptop/1f3a0c77".
std::string person(const std::string& holder) {
  return base::printable(holder.substr(0, holder.rfind('/')));
}

std::string holder_text(const Lease& lease, io::WallTime now) {
  auto text = person(lease.holder);
  if (!lease.what.empty()) {
    text += fmt::format(" ({})", base::printable(lease.what));
  }
  if (const auto since = io::parse_rfc3339(lease.acquired)) {
    text += fmt::format(", for {}", base::human_duration(std::max(milliseconds(0), now - *since)));
  }
  return text;
}

// A request that must not take longer than the lock lasts.
http::Timeouts prompt_timeouts(seconds duration) {
  const auto third = std::max<milliseconds>(duration / 3, seconds(1));
  return {.connect = third, .total = third, .stall = third};
}

Result<Lease> write_lease(cluster::Client& client, const kube::LedgerScope& scope, const Lease& lease,
                          std::stop_token stop) {
  const auto object = kube::to_object(lease, scope);
  const auto key = object.key();
  const auto resource = kube::resource_of(key.kind);
  const bool is_new = lease.resource_version.empty();
  const auto body = client.api().send_for_json({.method = is_new ? "POST" : "PUT",
                                                .path = is_new ? kube::collection_path(resource, key.name_space)
                                                               : kube::object_path(resource, key.name_space, key.name),
                                                .query = {{"fieldManager", std::string(cluster::field_manager)}},
                                                .content_type = "application/json",
                                                .body = json::to_compact_text(object.body),
                                                .operation = {.verb = is_new ? "create" : "replace",
                                                              .object = kube::to_string(key),
                                                              .name_space = key.name_space},
                                                .repeat = cluster::Repeat::no,
                                                .timeouts = prompt_timeouts(lease.duration)},
                                               std::move(stop));
  if (!body) {
    return body.error();
  }
  return kube::read_lease({.body = *body});
}

// ---- Getting it -------------------------------------------------------------------------------------------------

class Queue {
 public:
  Queue(cluster::Client& client, const kube::LedgerScope& scope, const LockOptions& options, events::Sink& events,
        std::stop_token stop)
      : client_(client),
        scope_(scope),
        options_(options),
        events_(events),
        stop_(std::move(stop)),
        holder_(unique(options.holder)),
        began_(clock().steady_now()) {}

  Result<Lease> wait_for_turn() {
    if (options_.seen && options_.seen->holder.empty()) {
      auto taken = take(*options_.seen);
      if (taken || taken.error().code != ErrorCode::conflict) {
        return taken;
      }
    }
    for (auto pause = shortest_pause;; pause = std::min(pause * 2, longest_pause)) {
      auto lease = read_lock(client_, scope_, stop_);
      if (!lease) {
        return lease.error();
      }
      observer_.see(*lease, clock().steady_now());
      if (is_up_for_taking(*lease)) {
        auto taken = take(*lease);
        if (taken || taken.error().code != ErrorCode::conflict) {
          return taken;
        }
        continue;  // somebody else was faster
      }
      if (clock().steady_now() - began_ + pause > options_.wait) {
        return still_locked(*lease);
      }
      tell_waiting(*lease);
      if (!clock().sleep_for(pause, stop_)) {
        return Error::interrupted();
      }
    }
  }

 private:
  bool is_up_for_taking(const Lease& lease) const {
    return lease.holder.empty() || observer_.has_lapsed(clock().steady_now());
  }

  Result<Lease> take(const Lease& lease) {
    const auto now = kube::to_micro_time(clock().now());
    // To its end, whatever asks to stop: a lock that was taken and is not known of keeps others waiting until it
    // lapses.
    auto taken = write_lease(client_, scope_,
                             {.holder = holder_,
                              .what = options_.what,
                              .duration = options_.duration,
                              .acquired = now,
                              .renewed = now,
                              .epoch = lease.epoch + 1,
                              .resource_version = lease.resource_version},
                             {});
    if (taken && !lease.holder.empty()) {
      note(events::Note::Level::warning, fmt::format("took the lock over from {}: not renewed for {}",
                                                     person(lease.holder), base::human_duration(lease.duration)));
    }
    return taken;
  }

  // Once for every holder, and a reminder now and then.
  void tell_waiting(const Lease& lease) {
    const auto now = clock().steady_now();
    if (lease.holder == told_ && now - told_at_ < reminder_pause) {
      return;
    }
    told_ = lease.holder;
    told_at_ = now;
    note(events::Note::Level::info,
         fmt::format("waiting for the lock of {}: {}; this run goes on when that one has ended, or {} after it was "
                     "killed",
                     scope_.project, holder_text(lease, clock().now()), base::human_duration(lease.duration)));
  }

  Error still_locked(const Lease& lease) const {
    return Error::refused("{} is locked by another run: {}", scope_.project, holder_text(lease, clock().now()))
        .with_hint(
            "wait for it to end, or give this run more patience with --lock-timeout; a run that was killed is "
            "taken over {} after its last sign of life",
            base::human_duration(lease.duration));
  }

  void note(events::Note::Level level, std::string text) { events_.emit(events::Note{level, std::move(text)}); }
  io::Clock& clock() const { return client_.api().clock(); }

  cluster::Client& client_;
  const kube::LedgerScope& scope_;
  const LockOptions& options_;
  events::Sink& events_;
  std::stop_token stop_;
  std::string holder_;
  io::SteadyTime began_;
  kube::LeaseObserver observer_;
  std::string told_;
  io::SteadyTime told_at_;
};

}  // namespace

// ---- Keeping it -------------------------------------------------------------------------------------------------

class Lock::Held {
 public:
  Held(cluster::Client& client, kube::LedgerScope scope, Lease lease, events::Sink& events)
      : client_(client), scope_(std::move(scope)), lease_(std::move(lease)), events_(events) {
    proven_now();
    renewer_ = std::jthread([this](const std::stop_token& stop) { keep_renewing(stop); });
  }

  ~Held() {
    renewer_.request_stop();
    renewer_.join();
    give_free();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  [[nodiscard]] long long epoch() const { return lease_.epoch; }
  [[nodiscard]] std::stop_token lost() const { return lost_.get_token(); }

  Status still_held() {
    {
      const std::lock_guard lock(state_mutex_);
      if (loss_) {
        return *loss_;
      }
      if (is_proven()) {
        return {};
      }
    }
    const auto renewed = renew({});
    return renewed || renewed.error().code == ErrorCode::refused ? renewed : Status(unproven(renewed.error()));
  }

 private:
  Error unproven(const Error& why) const {
    const bool is_login = why.code == ErrorCode::unauthorized;
    const bool says_enough = is_login || why.code == ErrorCode::unreachable;
    return Error::make(says_enough ? why.code : ErrorCode::refused,
                       "the lock of {} cannot be renewed, nothing more is written: {}", scope_.project,
                       base::to_string(why))
        .with_hint("run the same command again when {}; it goes on where this run ended",
                   is_login ? "you are logged in again" : "the API server answers");
  }

  void keep_renewing(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    milliseconds pause = lease_.duration / 3;
    while (!woken.wait_for(lock, stop, pause, [] { return false; }) && !stop.stop_requested()) {
      const auto renewed = renew(stop);
      if (lost_.stop_requested()) {
        return;
      }
      pause = renewed ? milliseconds(lease_.duration / 3) : milliseconds(retry_pause);
    }
  }

  // refused when it is lost, any other error when it could not be told.
  Status renew(const std::stop_token& stop) {
    const std::lock_guard renewing(renew_mutex_);
    auto written = try_to_renew(stop);
    if (!written && written.error().code == ErrorCode::conflict) {
      written = renew_what_is_there(stop);
    }
    if (written) {
      return {};
    }
    const auto code = written.error().code;
    return code == ErrorCode::refused || code == ErrorCode::not_found ? lose(written.error()) : written.error();
  }

  Status try_to_renew(const std::stop_token& stop) {
    auto renewed = lease_;
    renewed.renewed = kube::to_micro_time(clock().now());
    const auto asked_at = now();
    const auto written = write_lease(client_, scope_, renewed, stop);
    if (!written) {
      return written.error();
    }
    lease_.resource_version = written->resource_version;
    prove(asked_at);
    return {};
  }

  // The Lease is in another version than ours: an earlier renewal whose answer was lost, somebody's label, or another
  // holder.
  Status renew_what_is_there(const std::stop_token& stop) {
    const auto live = read_lock(client_, scope_, stop);
    if (!live) {
      return live.error();
    }
    if (!is_ours(*live)) {
      return Error::refused("another run has taken the lock of {} over: {}", scope_.project,
                            live->holder.empty() ? "it has ended already" : holder_text(*live, clock().now()))
          .with_hint(
              "this run stood still for longer than {} and writes nothing more; 'deployctl history' shows what "
              "the other one made of it",
              base::human_duration(lease_.duration));
    }
    lease_.resource_version = live->resource_version;
    return try_to_renew(stop);
  }

  Status lose(const Error& why) {
    const auto loss = why.code == ErrorCode::refused
                          ? why
                          : Error::refused("the lock of {} was deleted while this run held it", scope_.project)
                                .with_hint("nothing more is written; run the same command again");
    {
      const std::lock_guard lock(state_mutex_);
      loss_ = loss;
    }
    lost_.request_stop();
    return loss;
  }

  void give_free() {
    if (lost_.stop_requested()) {
      return;
    }
    auto written = write_free();
    if (!written && written.error().code == ErrorCode::conflict) {
      written = free_what_is_there();
    }
    if (!written) {
      events_.emit(
          events::Note{events::Note::Level::warning,
                       fmt::format("the lock of {} could not be given free, it lapses after {}: {}", scope_.project,
                                   base::human_duration(lease_.duration), base::to_string(written.error()))});
    }
  }

  Status write_free() {
    auto free = lease_;
    free.holder.clear();
    free.what.clear();
    free.renewed = kube::to_micro_time(clock().now());
    const auto written = write_lease(client_, scope_, free, {});
    return written ? Status() : written.error();
  }

  // In another version than ours: the renewal that the end of this run broke off has arrived all the same, somebody
  // put a label on it, or it is another run's by now and none of our business.
  Status free_what_is_there() {
    const auto live = read_lock(client_, scope_, {});
    if (!live) {
      return live.error();
    }
    if (!is_ours(*live)) {
      return {};
    }
    lease_.resource_version = live->resource_version;
    return write_free();
  }

  bool is_ours(const Lease& live) const { return live.holder == lease_.holder && live.epoch == lease_.epoch; }

  // Both clocks: one stands still while the machine sleeps, the other one is set at times.
  struct Moment {
    io::SteadyTime steady;
    io::WallTime wall;
  };
  Moment now() const { return {clock().steady_now(), clock().now()}; }
  void prove(const Moment& at) {
    const std::lock_guard lock(state_mutex_);
    proven_at_ = at;
  }
  void proven_now() { prove(now()); }
  bool is_proven() const {
    const auto limit = lease_.duration * 2 / 3;
    const auto at = now();
    return at.steady - proven_at_.steady < limit && at.wall - proven_at_.wall < limit;
  }
  io::Clock& clock() const { return client_.api().clock(); }

  cluster::Client& client_;
  const kube::LedgerScope scope_;
  std::mutex renew_mutex_;  // one renewal at a time; guards lease_.resource_version
  Lease lease_;
  events::Sink& events_;
  std::mutex state_mutex_;
  Moment proven_at_{};
  std::optional<Error> loss_;
  std::stop_source lost_;
  std::jthread renewer_;
};

Lock::Lock(std::unique_ptr<Held> held) : held_(std::move(held)) {}
Lock::~Lock() = default;
Lock::Lock(Lock&&) noexcept = default;
Lock& Lock::operator=(Lock&&) noexcept = default;

Result<Lock> Lock::acquire(cluster::Client& client, const kube::LedgerScope& scope, const LockOptions& options,
                           events::Sink& events, std::stop_token stop) {
  auto lease = Queue(client, scope, options, events, std::move(stop)).wait_for_turn();
  if (!lease) {
    return lease.error().within("locking {}", scope.project);
  }
  return Lock(std::make_unique<Held>(client, scope, std::move(*lease), events));
}

long long Lock::epoch() const {
  return held_->epoch();
}

Status Lock::still_held() {
  return held_->still_held();
}

std::stop_token Lock::lost() const {
  return held_->lost();
}

Result<Lease> read_lock(cluster::Client& client, const kube::LedgerScope& scope, std::stop_token stop) {
  const auto object = client.get(kube::lease_key(scope), std::move(stop));
  if (object) {
    return kube::read_lease(*object);
  }
  return object.error().code == ErrorCode::not_found ? Result<Lease>(Lease{}) : object.error();
}

}  // namespace deployctl::execute
