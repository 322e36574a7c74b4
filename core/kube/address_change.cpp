#include "core/kube/address_change.hpp"

#include "core/json/reader.hpp"
#include "core/kube/selector.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace deployctl::kube {
namespace {

using json::Reader;

struct ContainerPort {
  std::string name;
  long long number = 0;
  std::string protocol;
};
using Ports = std::vector<ContainerPort>;  // of the containers of a pod

Ports ports_of(const Reader& pod_spec) {
  Ports ports;
  for (const auto& container : pod_spec.at("containers").elements()) {
    for (const auto& port : container.at("ports").elements()) {
      ports.push_back({.name = port.at("name").string_or(),
                       .number = port.at("containerPort").integer_or(),
                       .protocol = port.at("protocol").string_or("TCP")});
    }
  }
  return ports;
}

// A port of a Service.
struct Way {
  long long number = 0;  // that clients use
  std::string protocol;
  std::string label;         // its own name
  std::string name;          // targetPort; empty: a number
  long long target = 0;      // targetPort as a number
  std::size_t position = 0;  // among the ports of the Service

  [[nodiscard]] bool is_like(const Way& other) const { return number == other.number && protocol == other.protocol; }

  // What it leads to in a pod with these ports; nothing when it does not know the name.
  [[nodiscard]] std::optional<long long> end_in(const Ports& ports) const {
    if (name.empty()) {
      return target;
    }
    const auto found = std::ranges::find_if(
        ports, [&](const ContainerPort& port) { return port.name == name && port.protocol == protocol; });
    return found == ports.end() ? std::nullopt : std::optional(found->number);
  }
};

std::vector<Way> ways_of(const Object& service) {
  std::vector<Way> ways;
  for (const auto& port : Reader(service.body).at("spec", "ports").elements()) {
    const auto number = port.at("port").integer_or();
    ways.push_back({.number = number,
                    .protocol = port.at("protocol").string_or("TCP"),
                    .label = port.at("name").string_or(),
                    .name = port.at("targetPort").string_or(),
                    .target = port.at("targetPort").integer_or(number),
                    .position = ways.size()});
  }
  return ways;
}

bool listens(const Ports& ports, const Way& way, long long number) {
  return std::ranges::any_of(
      ports, [&](const ContainerPort& port) { return port.number == number && port.protocol == way.protocol; });
}

const Way* find_like(const std::vector<Way>& ways, const Way& like) {
  const auto found = std::ranges::find_if(ways, [&](const Way& way) { return way.is_like(like); });
  return found == ways.end() ? nullptr : &*found;
}

// Routes may know the port by its name: it is the last thing to change.
void keep_label(json::Value& ports, const Way& live, std::size_t position) {
  const auto has_it = [&](const json::Value& port) { return Reader(port).at("name").string_or() == live.label; };
  if (!live.label.empty() && std::ranges::none_of(ports, has_it)) {
    ports[position]["name"] = live.label;
  }
}

bool leads_nowhere(const Object& service) {
  return selector_of(service).empty() || Reader(service.body).at("spec", "ports").size() == 0;
}

}  // namespace

bool leads_the_same(const Object& one, const Object& other) {
  const auto is_same = [](const Way& left, const Way& right) {
    return left.is_like(right) && left.name == right.name && left.target == right.target;
  };
  return selector_of(one) == selector_of(other) && std::ranges::equal(ways_of(one), ways_of(other), is_same);
}

AddressChange address_change(const Object& live, const Object& wanted, const Object& deployment,
                             std::span<const Object> serving) {
  AddressChange change;
  if (serving.empty() || leads_nowhere(live) || leads_nowhere(wanted)) {
    return change;
  }
  if (selector_of(live) != selector_of(wanted)) {
    return {.can_be_at_once = false, .meanwhile = {}, .keeps_ports = true};
  }
  std::vector<Ports> old_pods;
  for (const auto& pod : serving) {
    old_pods.push_back(ports_of(Reader(pod.body).at("spec")));
  }
  const auto new_pods = ports_of(Reader(deployment.body).at("spec", "template", "spec"));
  const auto before = ways_of(live);
  const auto after = ways_of(wanted);
  change.misses_new_pods = std::ranges::any_of(before, [&](const Way& way) {
    const auto end = way.end_in(new_pods);
    return !end || !listens(new_pods, way, *end);
  });

  const bool is_renumbered =
      std::ranges::any_of(before, [&](const Way& way) { return find_like(after, way) == nullptr; });
  const auto* first = find_like(after, before.front());
  auto meanwhile = wanted;
  auto& ports = meanwhile.body["spec"]["ports"];
  bool is_possible = true;
  for (const auto& way : after) {
    const auto* known = find_like(before, way);
    // A name may mean another port in the old pods than the one that clients reach in them.
    const auto is_right_in = [&](const Ports& pod) {
      const auto now = known == nullptr ? std::nullopt : known->end_in(pod);
      const auto then = way.end_in(pod);
      return then && (!now || now == then);
    };
    if (std::ranges::all_of(old_pods, is_right_in)) {
      continue;
    }
    if (known == nullptr && !is_renumbered) {  // nobody uses it yet; but routes go to the first
      change.can_be_at_once = change.can_be_at_once && way.position > 0;
      continue;
    }
    change.can_be_at_once = false;
    const auto number = way.end_in(new_pods);
    const auto serves = [&](const Ports& pod) {
      const auto now = known == nullptr ? std::nullopt : known->end_in(pod);
      return now ? now == number : listens(pod, way, *number);
    };
    if (!number || !std::ranges::all_of(old_pods, serves)) {
      is_possible = false;
      break;
    }
    ports[way.position]["targetPort"] = *number;
  }
  if (change.can_be_at_once) {
    return change;
  }
  change.keeps_ports = !is_possible || first != nullptr;
  if (is_possible) {
    if (first != nullptr) {
      keep_label(ports, before.front(), first->position);
    }
    change.meanwhile = std::move(meanwhile);
  }
  return change;
}

}  // namespace deployctl::kube
