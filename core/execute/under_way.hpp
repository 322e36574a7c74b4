// A release of which a canary is walked or something waits, as `promote` and `abort` find it in the cluster, and how
// they tell whoever walks it what users wish.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/canary_record.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::execute {

// With what is meant of it.
struct UnderWay {
  kube::ReleaseSummary release;
  std::vector<KeptCanary> canaries;
  std::vector<std::string> sides;
  bool is_all = true;  // nothing else of it is open
};

// Whether the services (empty: all) have it among them.
bool is_meant(const std::vector<std::string>& services, const std::string& service);

// What the services have open; nothing when that is nothing.
base::Result<std::optional<UnderWay>> find_under_way(Ledger& ledger, const std::vector<std::string>& services,
                                                     const Ports& ports);
// not_found, for people.
base::Error nothing_under_way(const std::vector<std::string>& services);

// What has been decided cannot be wished otherwise: refused, with the hint, where a canary's stage is that.
base::Status check_undecided(const UnderWay& under_way, canary::Stage decided, std::string_view hint);

// On each canary's Deployment, for the run that walks it, be it another one or ours. Where there is no Deployment,
// nobody is told. refused when "promote" would take the place of an abort.
base::Status write_wishes(cluster::Client& client, const UnderWay& under_way, const project::Target& target,
                          std::string_view wish, const Ports& ports);

}  // namespace deployctl::execute
