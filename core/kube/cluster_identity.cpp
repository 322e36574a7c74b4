// The UID of kube-system stays as long as a cluster's data does, so it tells a rebuilt cluster; a copy restored from a
// backup has the same UID but an authority of its own. Hence both are compared, and either alone may tell a difference.
#include "core/kube/cluster_identity.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::kube {
namespace {

bool have_one_in_common(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::ranges::any_of(left,
                             [&](const std::string& each) { return std::ranges::find(right, each) != right.end(); });
}

}  // namespace

std::string to_string(const ClusterIdentity& identity) {
  return fmt::format("kube-system {}, CA {}", identity.uid.empty() ? "not readable" : identity.uid,
                     identity.authorities.empty() ? "of the system" : base::join(identity.authorities, " and "));
}

std::optional<std::string> difference(const ClusterIdentity& meant, const ClusterIdentity& seen) {
  const bool are_uids_known = !meant.uid.empty() && !seen.uid.empty();
  const bool is_other_uid = are_uids_known && meant.uid != seen.uid;
  const bool are_authorities_known = !meant.authorities.empty() && !seen.authorities.empty();
  const bool is_other_authority = are_authorities_known && !have_one_in_common(meant.authorities, seen.authorities);
  if (is_other_uid && is_other_authority) {
    return "it is another cluster";
  }
  if (is_other_uid) {
    return "its namespace kube-system is another one: the cluster was made anew, or several share a CA";
  }
  if (is_other_authority) {
    return are_uids_known ? "its CA is another one: it was replaced, or this is a copy of the cluster"
                          : "its CA is another one";
  }
  return std::nullopt;
}

json::Value to_json(const KnownCluster& known) {
  return {{"uid", known.identity.uid},
          {"authorities", known.identity.authorities},
          {"server", known.server},
          {"since", known.since}};
}

base::Result<KnownCluster> known_cluster_from_json(const json::Value& value) {
  const json::Reader reader(value);
  KnownCluster known{.identity = {.uid = reader.at("uid").string_or(), .authorities = {}},
                     .server = reader.at("server").string_or(),
                     .since = reader.at("since").string_or()};
  for (const auto& authority : reader.at("authorities").elements()) {
    known.identity.authorities.push_back(authority.string_or());
  }
  if (known.identity.uid.empty() && known.identity.authorities.empty()) {
    return base::Error::failed("neither 'uid' nor 'authorities' is there");
  }
  return known;
}

}  // namespace deployctl::kube
