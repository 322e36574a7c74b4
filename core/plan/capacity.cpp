#include "core/plan/capacity.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace deployctl::plan {
namespace {

using Amount = std::optional<long long>;  // thousandths

Amount amount_of(const json::Reader& value) {
  if (const auto number = value.integer()) {
    return *number * 1000;
  }
  const auto quantity = base::Quantity::parse(value.string_or());
  return quantity ? Amount(quantity->thousandths()) : std::nullopt;
}

std::string shown(std::string_view resource, long long thousandths) {
  if (resource.find("memory") != std::string_view::npos) {
    return base::human_bytes(static_cast<unsigned long long>(thousandths / 1000));
  }
  return thousandths % 1000 == 0 ? std::to_string(thousandths / 1000) : std::to_string(thousandths) + "m";
}

std::vector<json::Reader> containers_of(const kube::Object& workload) {
  return json::Reader(workload.body).at("spec", "template", "spec", "containers").elements();
}

// An item of a LimitRange that is about containers.
struct ContainerLimit {
  std::string range;
  json::Reader item;
};

std::vector<ContainerLimit> container_limits(const std::vector<kube::Object>& limit_ranges) {
  std::vector<ContainerLimit> limits;
  for (const auto& range : limit_ranges) {
    for (const auto& item : json::Reader(range.body).at("spec", "limits").elements()) {
      if (item.at("type").string_or() == "Container") {
        limits.push_back({range.name(), item});
      }
    }
  }
  return limits;
}

Amount default_of(const std::vector<ContainerLimit>& limits, std::string_view member, std::string_view resource) {
  for (const auto& limit : limits) {
    if (const auto amount = amount_of(limit.item.at(member).at(resource))) {
      return amount;
    }
  }
  return std::nullopt;
}

struct ContainerNeed {
  Amount request;
  Amount limit;
};

// A request that is not given is the limit, where that is (Kubernetes documentation, "Resource Management for Pods").
ContainerNeed need_of(const json::Reader& container, std::string_view resource,
                      const std::vector<ContainerLimit>& limits) {
  const auto resources = container.at("resources");
  ContainerNeed need{.request = amount_of(resources.at("requests").at(resource)),
                     .limit = amount_of(resources.at("limits").at(resource))};
  const bool has_own_limit = need.limit.has_value();
  if (!need.limit) {
    need.limit = default_of(limits, "default", resource);
  }
  if (!need.request && has_own_limit) {
    need.request = need.limit;
  }
  if (!need.request) {
    need.request = default_of(limits, "defaultRequest", resource);
  }
  if (!need.request) {
    need.request = need.limit;
  }
  return need;
}

// Of all containers; nothing as soon as one says nothing.
void add_up(Amount& sum, const Amount& amount, bool is_first) {
  if (is_first) {
    sum = amount;
  } else if (sum && amount) {
    *sum += *amount;
  } else {
    sum.reset();
  }
}

int number_or_percentage(const json::Reader& value, int of, bool round_up) {
  if (const auto number = value.integer()) {
    return static_cast<int>(*number);
  }
  const auto text = value.string_or("25%");
  const auto percent = base::parse_integer(std::string_view(text).substr(0, text.find('%'))).value_or(0);
  const auto scaled = percent * of;
  return static_cast<int>(round_up ? (scaled + 99) / 100 : scaled / 100);
}

int replicas_of(const kube::Object& workload, int otherwise) {
  return static_cast<int>(json::Reader(workload.body).at("spec", "replicas").integer_or(otherwise));
}

// What one pod takes of a quota's resource; nothing when the quota asks for an amount the pod does not give.
Amount taken_by_pod(const PodNeed& need, std::string_view resource) {
  if (resource == "pods" || resource == "count/pods") {
    return 1000;
  }
  if (resource == "requests.cpu" || resource == "cpu") {
    return need.cpu_request;
  }
  if (resource == "requests.memory" || resource == "memory") {
    return need.memory_request;
  }
  if (resource == "limits.cpu") {
    return need.cpu_limit;
  }
  return need.memory_limit;
}

constexpr std::array<std::string_view, 8> pod_resources{
    "pods", "count/pods", "requests.cpu", "cpu", "requests.memory", "memory", "limits.cpu", "limits.memory"};

void check_quota(const std::string& quota, std::string_view resource, long long hard, long long used,
                 const std::vector<Load>& loads, std::vector<Shortage>& shortages) {
  long long growth = 0;
  long long surge = 0;
  bool can_wait = true;
  for (const auto& load : loads) {
    const auto taken = taken_by_pod(load.need, resource);
    if (!taken) {
      if (load.peak.growth + load.peak.surge > 0) {
        shortages.push_back(
            {Shortage::Kind::growth,
             fmt::format("quota {} limits {}, so every pod must say how much it takes, and the pods of {} "
                         "do not",
                         quota, resource, load.object)});
      }
      continue;
    }
    growth += load.peak.growth * *taken;
    surge += load.peak.surge * *taken;
    can_wait = can_wait && (load.peak.surge == 0 || load.peak.can_go_down_first);
  }
  const auto words = [&](long long needed) {
    return fmt::format("quota {} allows {} of {}, {} are used, and the rollout needs {} more at its peak", quota,
                       shown(resource, hard), resource, shown(resource, used), shown(resource, needed));
  };
  if (growth > 0 && used + growth > hard) {
    shortages.push_back({Shortage::Kind::growth, words(growth)});
  } else if (surge > 0 && used + growth + surge > hard && !can_wait) {
    shortages.push_back({Shortage::Kind::surge, words(growth + surge)});
  }
}

// "container api asks for memory 16.0 MiB, and the LimitRange limits demands at least 64.0 MiB"
void check_limit(const ContainerLimit& limit, const std::string& container, std::string_view resource,
                 const ContainerNeed& need, std::vector<std::string>& violations) {
  const auto& [range, item] = limit;
  const auto least = amount_of(item.at("min").at(resource));
  const auto most = amount_of(item.at("max").at(resource));
  if (least && need.request && *need.request < *least) {
    violations.push_back(fmt::format("container {} asks for {} {}, and the LimitRange {} demands at least {}",
                                     container, resource, shown(resource, *need.request), range,
                                     shown(resource, *least)));
  }
  if (most && need.limit && *need.limit > *most) {
    violations.push_back(fmt::format("container {} may use {} {}, and the LimitRange {} allows at most {}", container,
                                     resource, shown(resource, *need.limit), range, shown(resource, *most)));
  }
  if (most && !need.limit) {
    violations.push_back(fmt::format("container {} has no limit for {}, and the LimitRange {} allows at most {}",
                                     container, resource, range, shown(resource, *most)));
  }
}

// Pods that we make tolerate nothing.
bool is_tainted(const json::Reader& node) {
  return std::ranges::any_of(node.at("spec", "taints").elements(), [](const json::Reader& taint) {
    return taint.at("effect").string_or() != "PreferNoSchedule";
  });
}

bool takes_pods(const json::Reader& node) {
  return !node.at("spec", "unschedulable").boolean_or() && !is_tainted(node);
}

bool is_of_a_pool(const json::Reader& node) {
  constexpr std::array<std::string_view, 5> marks{"nodepool", "nodegroup", "agentpool", "autoscal", "karpenter"};
  for (const auto& [label, value] : node.at("metadata", "labels").members()) {
    const auto text = base::to_lower(label);
    if (std::ranges::any_of(marks, [&](std::string_view mark) { return text.find(mark) != std::string::npos; })) {
      return true;
    }
  }
  return false;
}

// In thousandths; pods are counted as such.
struct Room {
  long long cpu = 0;
  long long memory = 0;
  long long pods = 0;
};

bool fits(const Room& need, const Room& room) {
  return need.cpu <= room.cpu && need.memory <= room.memory && need.pods <= room.pods;
}

std::string in_words(const Room& room) {
  return fmt::format("cpu {}, memory {}", shown("cpu", std::max(0LL, room.cpu)),
                     shown("memory", std::max(0LL, room.memory)));
}

std::string with_pods(const Room& room) {
  return fmt::format("{}, {} pod{}", in_words(room), room.pods, room.pods == 1 ? "" : "s");
}

Room& operator+=(Room& sum, const Room& more) {
  sum.cpu += more.cpu;
  sum.memory += more.memory;
  sum.pods += more.pods;
  return sum;
}

Room need_of_pods(const PodNeed& need, int count) {
  return {
      .cpu = need.cpu_request.value_or(0) * count, .memory = need.memory_request.value_or(0) * count, .pods = count};
}

// Init containers run one by one before the others, so that the largest of them counts if it is larger than all others
// together (Kubernetes documentation, "Init Containers", "Resources").
long long request_of_pod(const json::Reader& spec, std::string_view resource) {
  const auto request = [&](const json::Reader& container) {
    return amount_of(container.at("resources", "requests").at(resource)).value_or(0);
  };
  long long sum = 0;
  for (const auto& container : spec.at("containers").elements()) {
    sum += request(container);
  }
  long long largest = 0;
  for (const auto& container : spec.at("initContainers").elements()) {
    largest = std::max(largest, request(container));
  }
  return std::max(sum, largest) + amount_of(spec.at("overhead").at(resource)).value_or(0);
}

// What has ended or is going takes nothing for long.
bool takes_room(const json::Reader& pod) {
  const auto phase = pod.at("status", "phase").string_or();
  return phase != "Succeeded" && phase != "Failed" && !pod.at("metadata", "deletionTimestamp").exists();
}

std::map<std::string, Room> taken_on_nodes(const std::vector<kube::Object>& pods) {
  std::map<std::string, Room> taken;
  for (const auto& object : pods) {
    const json::Reader pod(object.body);
    const auto spec = pod.at("spec");
    if (const auto node = spec.at("nodeName").string_or(); !node.empty() && takes_room(pod)) {
      taken[node] += {.cpu = request_of_pod(spec, "cpu"), .memory = request_of_pod(spec, "memory"), .pods = 1};
    }
  }
  return taken;
}

// Of each node that takes pods.
std::vector<Room> free_on_nodes(const std::vector<kube::Object>& nodes, const std::vector<kube::Object>& pods) {
  const auto taken = taken_on_nodes(pods);
  std::vector<Room> rooms;
  for (const auto& object : nodes) {
    const json::Reader node(object.body);
    if (!takes_pods(node)) {
      continue;
    }
    const auto allocatable = node.at("status", "allocatable");
    const auto found = taken.find(object.name());
    const auto used = found == taken.end() ? Room{} : found->second;
    rooms.push_back({.cpu = amount_of(allocatable.at("cpu")).value_or(0) - used.cpu,
                     .memory = amount_of(allocatable.at("memory")).value_or(0) - used.memory,
                     .pods = amount_of(allocatable.at("pods")).value_or(110'000) / 1000 - used.pods});
  }
  return rooms;
}

// Pods that have to be there before an old one goes.
int pods_beside(const Peak& peak) {
  return peak.growth + (peak.can_go_down_first ? 0 : peak.surge);
}

}  // namespace

PodNeed pod_need(const kube::Object& workload, const std::vector<kube::Object>& limit_ranges) {
  const auto limits = container_limits(limit_ranges);
  PodNeed sum;
  bool is_first = true;
  for (const auto& container : containers_of(workload)) {
    const auto cpu = need_of(container, "cpu", limits);
    const auto memory = need_of(container, "memory", limits);
    add_up(sum.cpu_request, cpu.request, is_first);
    add_up(sum.cpu_limit, cpu.limit, is_first);
    add_up(sum.memory_request, memory.request, is_first);
    add_up(sum.memory_limit, memory.limit, is_first);
    is_first = false;
  }
  return sum;
}

Peak peak_of(const kube::Object& desired, const kube::Object* live) {
  const int now = live != nullptr ? replicas_of(*live, 1) : 0;
  const int wanted = replicas_of(desired, live != nullptr ? now : 1);
  Peak peak{.growth = std::max(0, wanted - now)};
  const auto strategy = json::Reader(desired.body).at("spec", "strategy");
  if (live == nullptr || now == 0 || strategy.at("type").string_or("RollingUpdate") == "Recreate") {
    return peak;
  }
  // Pods that a rollout before has left beside the wanted ones go before new ones come.
  const auto surge = number_or_percentage(strategy.at("rollingUpdate", "maxSurge"), wanted, true);
  const auto there = json::Reader(live->body).at("status", "replicas").integer_or();
  peak.surge = surge - static_cast<int>(std::clamp<long long>(there - now, 0, surge));
  peak.can_go_down_first = number_or_percentage(strategy.at("rollingUpdate", "maxUnavailable"), wanted, false) > 0;
  return peak;
}

std::vector<Shortage> quota_shortages(const std::vector<Load>& loads, const std::vector<kube::Object>& quotas) {
  std::vector<Shortage> shortages;
  for (const auto& quota : quotas) {
    const json::Reader body(quota.body);
    if (body.at("spec", "scopes").size() > 0 || body.at("spec", "scopeSelector").exists()) {
      continue;
    }
    for (const auto resource : pod_resources) {
      const auto hard = amount_of(body.at("spec", "hard").at(resource));
      if (hard) {
        const auto used = amount_of(body.at("status", "used").at(resource)).value_or(0);
        check_quota(quota.name(), resource, *hard, used, loads, shortages);
      }
    }
  }
  return shortages;
}

std::vector<std::string> limit_violations(const kube::Object& workload, const std::vector<kube::Object>& limit_ranges) {
  const auto limits = container_limits(limit_ranges);
  std::vector<std::string> violations;
  for (const auto& container : containers_of(workload)) {
    for (const auto* resource : {"cpu", "memory"}) {
      const auto need = need_of(container, resource, limits);
      for (const auto& limit : limits) {
        check_limit(limit, container.at("name").string_or(), resource, need, violations);
      }
    }
  }
  return violations;
}

NodeRoom room_on_nodes(const PodNeed& need, const std::vector<kube::Object>& nodes) {
  NodeRoom room{.fits = false};
  long long most = -1;
  for (const auto& object : nodes) {
    const json::Reader node(object.body);
    if (!takes_pods(node)) {
      continue;
    }
    room.may_grow = room.may_grow || is_of_a_pool(node);
    const auto cpu = amount_of(node.at("status", "allocatable", "cpu")).value_or(0);
    const auto memory = amount_of(node.at("status", "allocatable", "memory")).value_or(0);
    room.fits = room.fits || (need.cpu_request.value_or(0) <= cpu && need.memory_request.value_or(0) <= memory);
    if (memory > most) {
      most = memory;
      room.largest = fmt::format("cpu {}, memory {}", shown("cpu", cpu), shown("memory", memory));
    }
  }
  // Without a node that takes pods there is nothing to measure by: nodes come and go.
  if (most < 0) {
    room.fits = true;
  }
  return room;
}

bool asks_for_room(const Load& load) {
  return pods_beside(load.peak) > 0 && (load.need.cpu_request || load.need.memory_request);
}

std::vector<Shortage> shortages_beside(const std::vector<Load>& loads, const std::vector<kube::Object>& nodes,
                                       const std::vector<kube::Object>& pods) {
  const auto rooms = free_on_nodes(nodes, pods);
  const bool may_grow =
      std::ranges::any_of(nodes, [](const kube::Object& node) { return is_of_a_pool(json::Reader(node.body)); });
  if (rooms.empty() || may_grow) {
    return {};
  }
  std::vector<Shortage> shortages;
  Room needed;
  bool is_surge_only = true;
  for (const auto& load : loads) {
    if (!asks_for_room(load)) {
      continue;
    }
    needed += need_of_pods(load.need, pods_beside(load.peak));
    is_surge_only = is_surge_only && load.peak.growth == 0;
    const auto one = need_of_pods(load.need, 1);
    if (std::ranges::none_of(rooms, [&](const Room& room) { return fits(one, room); })) {
      const auto most = std::ranges::max(rooms, {}, one.cpu > 0 ? &Room::cpu : &Room::memory);
      shortages.push_back(
          {load.peak.growth > 0 ? Shortage::Kind::growth : Shortage::Kind::surge,
           fmt::format("no node has room for one more pod of {} ({}): other pods leave {} where there is most",
                       load.object, in_words(one), with_pods(most))});
    }
  }
  Room left;
  for (const auto& room : rooms) {
    left += {.cpu = std::max(0LL, room.cpu), .memory = std::max(0LL, room.memory), .pods = std::max(0LL, room.pods)};
  }
  if (shortages.empty() && !fits(needed, left)) {
    shortages.push_back({is_surge_only ? Shortage::Kind::surge : Shortage::Kind::growth,
                         fmt::format("the rollout needs {} more at its peak, and other pods leave {} on the nodes",
                                     with_pods(needed), with_pods(left))});
  }
  return shortages;
}

}  // namespace deployctl::plan
