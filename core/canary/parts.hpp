// The objects of one service that a canary works with, and those it makes beside them. Objects in, objects out: the
// same from a project manifest as from the record of a release.
#pragma once

#include "core/base/result.hpp"
#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::canary {

// As they are wanted when there is no canary.
struct Parts {
  std::string name;  // of the service
  kube::Object deployment;
  kube::Object service;
  std::optional<kube::Object> ingress;
  std::optional<kube::Object> http_route;
  std::optional<kube::Object> virtual_service;
  std::optional<kube::Object> autoscaler;
};

// Those of the service among the objects of a release; failed when there is no Deployment or no Service.
base::Result<Parts> parts_of(std::span<const kube::Object> objects, const std::string& service);

// "api-canary": the Deployment, the Service and, with nginx, the Ingress of the canary.
std::string canary_name(std::string_view service);

// The Deployment of the canary: the wanted one under another name and with labels of its own, so that neither
// Deployment's selector matches the other's pods.
kube::Object canary_deployment(const Parts& parts, int replicas);
// A Service that leads to the canary's pods alone.
kube::Object canary_service(const Parts& parts);

// How many pods of each kind there are at a weight, `wanted` being what the service has without a canary.
struct Shares {
  int stable = 0;
  int canary = 0;

  // Per cent of the pods that are the canary's, rounded.
  [[nodiscard]] int percent() const;
  friend bool operator==(const Shares&, const Shares&) = default;
};
// The stable pods stay as many as they are, so that the way back needs no new ones, and the canary has never more than
// they. weight is 1 to 99; by replicas more than one half cannot be had.
Shares shares_at(project::Router router, int weight, int wanted);

// The autoscaler of the stable pods, kept from taking pods away because the canary took their load.
kube::Object held(const kube::Object& autoscaler, int replicas);

// What gives the canary its share: to be applied when its pods are ready. Complete objects, because lists of routes are
// replaced as a whole. At weight 0 all of it leads to the stable pods.
std::vector<kube::Object> routes_at(const Parts& parts, const project::Canary& canary, int weight);

// Objects that exist for the canary alone, in the order in which they go.
std::vector<kube::ObjectKey> made_for_canary(const Parts& parts, const project::Canary& canary);

// Whether the route has been taken up by every Gateway it names: Accepted and ResolvedRefs for this generation. Why
// not; "" when it has.
std::string why_not_taken_up(const kube::Object& http_route);

}  // namespace deployctl::canary
