#include "core/kube/cluster_identity.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

TEST(ClusterIdentity, DiffersByItsUidOrByItsAuthorities) {
  struct Row {
    ClusterIdentity meant;
    ClusterIdentity seen;
    std::string why;  // empty: the same
  };
  const std::vector<Row> rows{
      {{"u1", {"a"}}, {"u1", {"a"}}, ""},
      {{"u1", {"a"}}, {"u2", {"b"}}, "it is another cluster"},
      {{"u1", {"a"}},
       {"u2", {"a"}},
       "its namespace kube-system is another one: the cluster was made anew, or several share a CA"},
      {{"u1", {"a"}}, {"u1", {"b"}}, "its CA is another one: it was replaced, or this is a copy of the cluster"},
      // A rotation: the new authority stands beside the old one for a while.
      {{"u1", {"a"}}, {"u1", {"a", "b"}}, ""},
      {{"u1", {"a", "b"}}, {"u1", {"b", "c"}}, ""},
      // Who may not read kube-system has the authority alone, who trusts the system's authorities the UID alone.
      {{"", {"a"}}, {"u1", {"a"}}, ""},
      {{"u1", {"a"}}, {"", {"a"}}, ""},
      {{"", {"a"}}, {"", {"b"}}, "its CA is another one"},
      {{"u1", {}}, {"u1", {"a"}}, ""},
      {{"u1", {}},
       {"u2", {}},
       "its namespace kube-system is another one: the cluster was made anew, or several share a CA"},
      {{"u1", {}}, {"", {"a"}}, ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(difference(row.meant, row.seen).value_or(""), row.why)
        << to_string(row.meant) << " / " << to_string(row.seen);
  }
}

TEST(ClusterIdentity, IsToldInFull) {
  EXPECT_EQ(to_string(ClusterIdentity{"u1", {"sha256:a", "sha256:b"}}), "kube-system u1, CA sha256:a and sha256:b");
  EXPECT_EQ(to_string(ClusterIdentity{}), "kube-system not readable, CA of the system");
}

TEST(KnownClusters, AreReadAsTheyWereWritten) {
  const KnownCluster known{
      .identity = {"u1", {"a", "b"}}, .server = "https://k8s:6443", .since = "2026-11-28T01:00:00Z"};
  const auto read = known_cluster_from_json(to_json(known));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, known);
  EXPECT_FALSE(known_cluster_from_json(json::Value::object()));
}

}  // namespace
}  // namespace deployctl::kube
