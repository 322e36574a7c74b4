// Which cluster it is: not its address, which moves, but what it is made with. Pure; execute/identity.hpp reads it.
#pragma once

#include "core/base/result.hpp"
#include "core/json/value.hpp"

#include <optional>
#include <string>
#include <vector>

namespace deployctl::kube {

struct ClusterIdentity {
  std::string uid;                       // of the namespace kube-system; empty: we may not read it
  std::vector<std::string> authorities;  // "sha256:…" of each certificate (DER) it is trusted by; none: the system's

  friend bool operator==(const ClusterIdentity&, const ClusterIdentity&) = default;
};

// "kube-system 6f1c…, CA sha256:ab12…": for people, in full.
std::string to_string(const ClusterIdentity& identity);

// What tells that `seen` is not the cluster that was meant, in words; nothing when nothing does. A certificate
// authority that is replaced overlaps with the one before it for some time: one certificate in common is enough. What
// is known of only one of the two cannot differ.
std::optional<std::string> difference(const ClusterIdentity& meant, const ClusterIdentity& seen);

// An identity as it was met, for the record of clusters known to this user.
struct KnownCluster {
  ClusterIdentity identity;
  std::string server;  // where, for people: "https://10.0.0.1:6443 (context prod of ~/.kube/config)"
  std::string since;   // RFC 3339

  friend bool operator==(const KnownCluster&, const KnownCluster&) = default;
};

json::Value to_json(const KnownCluster& known);
// failed when a part is missing.
base::Result<KnownCluster> known_cluster_from_json(const json::Value& value);

}  // namespace deployctl::kube
