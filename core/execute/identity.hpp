// Binding an environment to one cluster: what answers must be what the project manifest pins (`cluster`) or, without a
// pin, what this user's first rollout met. The record is kept like ssh keeps known hosts: one file for each project and
// environment in $XDG_STATE_HOME/deployctl/clusters (~/.local/state/…), readable by the user alone.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/cluster_identity.hpp"
#include "core/project/model.hpp"

#include <stop_token>
#include <string>

namespace deployctl::execute {

// The certificates of a PEM text as "sha256:…" of their DER, sorted; what is no certificate is passed over.
std::vector<std::string> certificate_digests(std::string_view pem);

// One request, for the namespace kube-system; who may not read it gets an identity without a uid.
base::Result<kube::ClusterIdentity> read_identity(cluster::Client& client, std::stop_token stop);

enum class Binding {
  pinned,     // as the project manifest says
  known,      // as it was before
  first_use,  // nothing was known; it is now, where that was asked for
};

enum class Record { no, yes };

// refused (exit 7) with both identities when it is another cluster than the one meant; how to accept the new one is in
// the hint. failed when the record cannot be read. A record that cannot be written is a warning.
base::Result<Binding> check_binding(const project::Target& target, const kube::ClusterIdentity& seen,
                                    const cluster::Connection& connection, Record record, const Ports& ports);
// read_identity and check_binding, for a change that needs nothing else.
base::Status require_bound_cluster(const project::Target& target, cluster::Client& client, const Ports& ports);

// For who only looks: another cluster than the one meant is a warning. An error when it does not answer.
base::Status warn_of_another_cluster(const project::Target& target, cluster::Client& client, const Ports& ports);

// From now on the environment means this cluster.
base::Status accept_cluster(const project::Target& target, const kube::ClusterIdentity& seen,
                            const cluster::Connection& connection, const Ports& ports);

// Where the record of the target lies.
std::string binding_path(const project::Target& target, const io::Environment& environment);

}  // namespace deployctl::execute
