// The two sides of a blue-green service: two Deployments of which the Service leads to one.
//
// Blue is the service as every other strategy has it: a Deployment of its name with its usual labels. Green is called
// "<service>-green", and its pods belong to an instance of their own (app.kubernetes.io/instance), so that neither
// selector finds the pods of the other. Which side is live stands in one place, the Service's selector.
#pragma once

#include "core/kube/object.hpp"

#include <string>
#include <string_view>

namespace deployctl::generate {

enum class Side { blue, green };

constexpr Side other(Side side) {
  return side == Side::blue ? Side::green : Side::blue;
}
std::string_view to_string(Side side);

// On Deployments of the green side, to find them by.
inline constexpr std::string_view side_label = "deployctl.dev/side";
// On the side that is not live any more: RFC 3339, until when it is kept to go back to.
inline constexpr std::string_view kept_until_annotation = "deployctl.dev/kept-until";

// "api", "api-green".
std::string side_name(std::string_view service, Side side);

// The value of app.kubernetes.io/instance on the pods of that side.
std::string instance_on(std::string_view project, Side side);

// The object, made for the blue side, as it is on `side`: a Deployment with its name and the labels of its pods; a
// Service, an autoscaler or a disruption budget that leads or refers to that side. Anything else stays as it is.
kube::Object on_side(kube::Object object, Side side);

// The side whose pods the Service selects.
Side live_side(const kube::Object& service);

}  // namespace deployctl::generate
