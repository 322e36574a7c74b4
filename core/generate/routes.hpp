// What leads requests from a Gateway to a service: an HTTPRoute, or a VirtualService where Istio splits the requests of
// a canary. As they are without a canary; core/canary weights them.
#pragma once

#include "core/json/value.hpp"
#include "core/project/model.hpp"

#include <string_view>

namespace deployctl::generate {

bool has_http_route(const project::Service& service);
bool has_virtual_service(const project::Service& service);

// `port` is the Service's.
json::Value http_route(const project::Target& target, const project::Service& service, int port);
json::Value virtual_service(const project::Target& target, const project::Service& service, int port);

}  // namespace deployctl::generate
