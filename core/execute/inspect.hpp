// What runs: the services and the releases, read from the cluster.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/generate/sides.hpp"
#include "core/kube/lease.hpp"
#include "core/kube/release.hpp"
#include "core/kube/rollout_status.hpp"
#include "core/project/model.hpp"

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::execute {

// A client for the cluster and namespace the target names; nothing is sent yet. Warnings become notes.
base::Result<std::unique_ptr<cluster::Client>> connect_cluster(const project::Target& target, const Ports& ports);

// The side of a blue-green service that its address leads to; blue when there is no such address.
base::Result<generate::Side> live_side(cluster::Client& client, const project::Target& target,
                                       const std::string& service, std::stop_token stop);
// Of every service of the project that has a green side, whatever its strategy is now. One request, and one for each of
// them.
base::Result<std::map<std::string, generate::Side>> live_sides(cluster::Client& client, const project::Target& target,
                                                               std::stop_token stop);
// The names in it.
std::vector<std::string> sided(const std::map<std::string, generate::Side>& sides);
// The name of the Deployment that gets the service's requests. Asks the cluster for blue-green services only.
base::Result<std::string> live_deployment(cluster::Client& client, const project::Target& target,
                                          const project::Service& service, std::stop_token stop);

struct ServiceStatus {
  std::string service;
  bool is_deployed = false;
  kube::RolloutStatus rollout;
  std::string image;   // of the first container
  std::string commit;  // empty when unknown
  std::string revision;
  std::string since;    // RFC 3339: since when its pods are there (kube::runs_since); empty without pods
  std::string trouble;  // one line on what keeps it from being ready, or whose it is now; empty when nothing does
};

// One entry for each of the services, in their order; they need not be in the project manifest.
base::Result<std::vector<ServiceStatus>> read_status(cluster::Client& client, const project::Target& target,
                                                     const std::vector<std::string>& services, const Ports& ports);

// What the ledger and the lock say at the moment.
struct ReleaseOverview {
  std::vector<kube::ReleaseSummary> releases;  // newest first
  kube::Lease lock;                            // without a holder when it is free
};

base::Result<ReleaseOverview> read_overview(cluster::Client& client, const project::Target& target,
                                            std::stop_token stop);

}  // namespace deployctl::execute
