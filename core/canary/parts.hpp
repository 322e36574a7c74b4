// The objects of one service that a canary works with, and those it makes beside them. Objects in, objects out: the
// same from a project manifest as from the record of a release.
#pragma once

#include "core/base/result.hpp"
#include "core/json/value.hpp"
#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::canary {

// What leads requests to the pods of a service, and scales them, as far as a release has it; and its Deployment.
struct Surroundings {
  std::optional<kube::Object> deployment;
  std::optional<kube::Object> service;
  std::optional<kube::Object> ingress;
  std::optional<kube::Object> http_route;
  std::optional<kube::Object> virtual_service;
  std::optional<kube::Object> autoscaler;
};
Surroundings surroundings_of(std::span<const kube::Object> objects, const std::string& service);

struct Parts {
  std::string name;         // of the service
  kube::Object deployment;  // of the new version
  kube::Object service;     // as the new version wants them when there is no canary
  Surroundings wanted;      // the same with the rest
  Surroundings live;        // those of the stable pods: what a canary splits, and what is given back when it is aborted
};

// Those of the service among the objects of a release, and among those of the live one; without one, `live` is what is
// wanted. failed when there is no Deployment or no Service.
base::Result<Parts> parts_of(std::span<const kube::Object> objects, const std::string& service,
                             std::optional<std::span<const kube::Object>> live = {});

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

// Whether the live Service can lead to stable pods and the canary's alike, as it has to with replicas: their ports have
// the same names or the same numbers. routes_at() chooses what is right for both.
bool can_share_service(const Parts& parts);

// What gives the canary its share (1 to 99 per cent): to be applied when its pods are ready. Complete objects, because
// lists of routes are replaced as a whole.
std::vector<kube::Object> routes_at(const Parts& parts, const project::Canary& canary, int weight);

// What takes its share away again: everything leads to the stable pods.
enum class End {
  promoted,  // which have the new version, and what it wants
  aborted,   // which have what they had
};
std::vector<kube::Object> routes_after(const Parts& parts, const project::Canary& canary, End end);

// The same of a route that somebody else has changed meanwhile: a merge patch that takes the canary out of it and
// leaves the rest as it is; null when nothing of the canary is in it.
json::Value patch_without_canary(const kube::Object& route, const std::string& service);

// Objects that exist for the canary alone, in the order in which they go; after an abort also the route that the live
// release does not have.
std::vector<kube::ObjectKey> made_for_canary(const Parts& parts, const project::Canary& canary, End end);

// Whether the route has been taken up by every Gateway it names: Accepted and ResolvedRefs for this generation. Why
// not; "" when it has.
std::string why_not_taken_up(const kube::Object& http_route);

}  // namespace deployctl::canary
