// Whether there is room for the pods of a rollout at its peak: pure arithmetic over workloads, quotas, limits and
// nodes.
#pragma once

#include "core/base/quantity.hpp"
#include "core/kube/object.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::plan {

// What one pod asks for and may use at most, in thousandths (of a core, of a byte); nothing where it says nothing.
struct PodNeed {
  std::optional<long long> cpu_request;
  std::optional<long long> memory_request;
  std::optional<long long> cpu_limit;
  std::optional<long long> memory_limit;

  friend bool operator==(const PodNeed&, const PodNeed&) = default;
};

// Of a workload's pod template, with the defaults that LimitRanges give containers.
PodNeed pod_need(const kube::Object& workload, const std::vector<kube::Object>& limit_ranges);

// How many pods more than now there are while the rollout is under way.
struct Peak {
  int growth = 0;                  // that stay
  int surge = 0;                   // on top of these, until old pods have gone
  bool can_go_down_first = false;  // an old pod may go before a new one comes (max_unavailable)
};

// `live` is the workload as it is now, null when there is none.
Peak peak_of(const kube::Object& desired, const kube::Object* live);

// One workload of the rollout.
struct Load {
  std::string object;  // "deployment/api"
  PodNeed need;
  Peak peak;
  std::string service = {};  // that it is of
};

struct Shortage {
  enum class Kind { growth, surge };
  Kind kind = Kind::growth;
  std::string words;  // "quota compute allows 2 of requests.cpu, 1500m are used, and the rollout needs 1 more"
};

// What the quotas of the namespace have no room for. Quotas for some pods only (scopes) are passed over.
std::vector<Shortage> quota_shortages(const std::vector<Load>& loads, const std::vector<kube::Object>& quotas);

// How single containers break the limits of the namespace: "container api asks for memory 16Mi, and limits demands at
// least 64Mi".
std::vector<std::string> limit_violations(const kube::Object& workload, const std::vector<kube::Object>& limit_ranges);

struct NodeRoom {
  bool fits = true;
  bool may_grow = false;  // nodes look like those of a pool that an autoscaler may add to
  std::string largest;    // "cpu 2, memory 3.9 GiB": of the node that comes nearest
};

// Whether one pod fits on an empty node that takes pods.
NodeRoom room_on_nodes(const PodNeed& need, const std::vector<kube::Object>& nodes);

// Whether a load brings pods that have to find room beside the old ones, and says how much.
bool asks_for_room(const Load& load);

// What the pods that are on the nodes (all namespaces) leave no room for: single pods of a load that fit nowhere, and
// all loads together where there is less than they need. Empty when something cannot be measured, or may grow.
std::vector<Shortage> shortages_beside(const std::vector<Load>& loads, const std::vector<kube::Object>& nodes,
                                       const std::vector<kube::Object>& pods);

}  // namespace deployctl::plan
