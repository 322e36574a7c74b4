// The lock of a project and environment: a coordination.k8s.io Lease. Values and pure functions; execute::Lock holds
// it.
//
// Its leaseTransitions count the holders it has had. That number is the epoch of a run: whoever sees another one than
// its own has been taken over and writes nothing more (a Lease alone keeps nobody from writing).
#pragma once

#include "core/base/result.hpp"
#include "core/io/clock.hpp"
#include "core/kube/object.hpp"
#include "core/kube/release.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace deployctl::kube {

struct Lease {
  std::string holder;  // empty: free
  std::string what;    // what the holder does, for people: "rollout"
  std::chrono::seconds duration{0};
  std::string acquired;  // RFC 3339
  std::string renewed;   // RFC 3339
  long long epoch = 0;
  std::string resource_version;  // empty: not there yet
};

ObjectKey lease_key(const LedgerScope& scope);

// From any Lease, whoever wrote it; the duration is kept within a second and an hour.
Lease read_lease(const Object& object);
// The object to create, or to replace the one of `lease.resource_version` with.
Object to_object(const Lease& lease, const LedgerScope& scope);

// RFC 3339 in UTC with exactly six digits of fraction, the only form a Lease takes.
std::string to_micro_time(io::WallTime time);

// Whether a holder is still there, judged by our own clock alone: it is gone when nothing of its Lease has changed for
// as long as the Lease lasts, counted from when we first saw it so (the clocks of two machines say nothing).
class LeaseObserver {
 public:
  // Call it with every state read.
  void see(const Lease& lease, io::SteadyTime now);
  // The holder has not renewed what we saw last for its whole duration.
  [[nodiscard]] bool has_lapsed(io::SteadyTime now) const;
  // When has_lapsed() becomes true unless something changes.
  [[nodiscard]] io::SteadyTime lapses_at() const { return seen_at_ + duration_; }

 private:
  std::string seen_;  // the version, holder and time of the last renewal
  io::SteadyTime seen_at_;
  std::chrono::seconds duration_{0};
};

}  // namespace deployctl::kube
