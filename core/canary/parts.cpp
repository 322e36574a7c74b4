#include "core/canary/parts.hpp"

#include "core/kube/labels.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace deployctl::canary {
namespace {

constexpr std::string_view name_label = "app.kubernetes.io/name";

const kube::Object* find(std::span<const kube::Object> objects, std::string_view kind, const std::string& name) {
  const auto found = std::ranges::find_if(
      objects, [&](const kube::Object& object) { return object.kind() == kind && object.name() == name; });
  return found == objects.end() ? nullptr : &*found;
}

std::optional<kube::Object> copy_of(std::span<const kube::Object> objects, std::string_view kind,
                                    const std::string& name) {
  const auto* found = find(objects, kind, name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

// Pods are spread over the nodes by their own name.
void spread_by(json::Value& pod, const std::string& name) {
  if (const auto constraints = pod.find("topologySpreadConstraints"); constraints != pod.end()) {
    for (auto& constraint : *constraints) {
      constraint["labelSelector"]["matchLabels"][std::string(name_label)] = name;
    }
  }
}

int divided(int dividend, int divisor) {
  return static_cast<int>(std::lround(static_cast<double>(dividend) / divisor));
}

// With replicas every pod gets the same: canary / (canary + stable) is to be the weight.
Shares shares_by_replicas(int weight, int wanted) {
  return {.stable = wanted, .canary = std::clamp(divided(wanted * weight, 100 - weight), 1, wanted)};
}

}  // namespace

Surroundings surroundings_of(std::span<const kube::Object> objects, const std::string& service) {
  return {.deployment = copy_of(objects, "Deployment", service),
          .service = copy_of(objects, "Service", service),
          .ingress = copy_of(objects, "Ingress", service),
          .http_route = copy_of(objects, "HTTPRoute", service),
          .virtual_service = copy_of(objects, "VirtualService", service),
          .autoscaler = copy_of(objects, "HorizontalPodAutoscaler", service)};
}

base::Result<Parts> parts_of(std::span<const kube::Object> objects, const std::string& service,
                             std::optional<std::span<const kube::Object>> live) {
  const auto* deployment = find(objects, "Deployment", service);
  const auto* address = find(objects, "Service", service);
  if (deployment == nullptr || address == nullptr) {
    return base::Error::failed("the release has no {} of '{}'", deployment == nullptr ? "Deployment" : "Service",
                               service);
  }
  return Parts{.name = service,
               .deployment = *deployment,
               .service = *address,
               .wanted = surroundings_of(objects, service),
               .live = surroundings_of(live.value_or(objects), service)};
}

std::string canary_name(std::string_view service) {
  return std::string(service) + "-canary";
}

kube::Object canary_deployment(const Parts& parts, int replicas) {
  auto canary = parts.deployment;
  const auto name = canary_name(parts.name);
  auto& metadata = canary.body["metadata"];
  auto& spec = canary.body["spec"];
  metadata["name"] = name;
  metadata["labels"][std::string(name_label)] = name;
  spec["replicas"] = replicas;  // may be new, and then moves the other members of spec
  auto& labels = spec["template"]["metadata"]["labels"];
  spec["selector"]["matchLabels"][std::string(name_label)] = name;
  labels[std::string(name_label)] = name;
  spread_by(spec["template"]["spec"], name);
  labels[std::string(kube::service_label)] = parts.name;
  return canary;
}

kube::Object canary_service(const Parts& parts) {
  auto service = parts.service;
  const auto name = canary_name(parts.name);
  auto& spec = service.body["spec"];
  service.body["metadata"]["name"] = name;
  service.body["metadata"]["labels"][std::string(name_label)] = name;
  spec["type"] = "ClusterIP";
  spec["selector"][std::string(name_label)] = name;
  for (auto& port : spec["ports"]) {
    port.erase("nodePort");
  }
  return service;
}

int Shares::percent() const {
  return stable + canary == 0 ? 0 : divided(100 * canary, stable + canary);
}

Shares shares_at(project::Router router, int weight, int wanted) {
  wanted = std::max(1, wanted);
  if (router == project::Router::replicas) {
    return shares_by_replicas(weight, wanted);
  }
  return {.stable = wanted, .canary = std::max(1, (wanted * weight + 99) / 100)};
}

kube::Object held(const kube::Object& autoscaler, int replicas) {
  auto kept = autoscaler;
  auto& spec = kept.body["spec"];
  const int least = spec.value("minReplicas", 1);
  const int most = spec.value("maxReplicas", replicas);
  spec["minReplicas"] = std::clamp(replicas, least, std::max(least, most));
  return kept;
}

std::vector<kube::ObjectKey> made_for_canary(const Parts& parts, const project::Canary& canary, End end) {
  const auto key = [&](const kube::Object& like) {
    auto made = like.key();
    made.name = canary_name(parts.name);
    return made;
  };
  std::vector<kube::ObjectKey> keys;
  for (const auto& route : routes_at(parts, canary, 1)) {
    const bool is_new = end == End::aborted && routes_after(parts, canary, end).empty();
    if (is_new || route.name() == canary_name(parts.name)) {
      keys.push_back(route.key());
    }
  }
  keys.push_back(key(parts.deployment));
  keys.push_back(key(parts.service));
  return keys;
}

}  // namespace deployctl::canary
