// The right to change one project and environment in a cluster: held by one run at a time.
//
// A Lease (kube/lease.hpp) that is renewed in the background while the Lock lives. A run that stands still (a laptop
// asleep, a stopped process) may be taken over: it then finds another epoch and writes nothing more.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/events/event.hpp"
#include "core/kube/lease.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace deployctl::execute {

struct LockOptions {
  std::string holder;                       // who, for people: "ada@laptop"; made unique by what is added to it
  std::string what;                         // "rollout"
  std::chrono::milliseconds wait{600'000};  // for another run to end; zero: not at all
  std::chrono::seconds duration{15};        // without a renewal, until another run may take over
  std::optional<kube::Lease> seen;          // as it was a moment ago: when it was free, the first question is saved
};

class Lock {
 public:
  // Waits while another run holds it, telling who and since when, and takes it over once that run has not renewed it
  // for its whole duration. refused when the wait is over; interrupted on `stop`.
  static base::Result<Lock> acquire(cluster::Client& client, const kube::LedgerScope& scope, const LockOptions& options,
                                    events::Sink& events, std::stop_token stop);
  // Stops renewing and gives it free, whatever was asked to stop meanwhile.
  ~Lock();
  Lock(Lock&&) noexcept;
  Lock& operator=(Lock&&) noexcept;

  // How many runs have held it, this one included.
  [[nodiscard]] long long epoch() const;
  // To be asked before each write. refused when another run has it; when it was not renewed for two thirds of its
  // duration (also because this process stood still), the API server is asked now, and refused unless it is still ours;
  // unauthorized or unreachable when it does not say.
  base::Status still_held();
  // Requested as soon as another run is known to have it.
  [[nodiscard]] std::stop_token lost() const;

 private:
  class Held;
  explicit Lock(std::unique_ptr<Held> held);
  std::unique_ptr<Held> held_;
};

// Who holds the lock at the moment, for showing; the lease with an empty holder when nobody does.
base::Result<kube::Lease> read_lock(cluster::Client& client, const kube::LedgerScope& scope, std::stop_token stop);

}  // namespace deployctl::execute
