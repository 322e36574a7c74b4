#include "core/generate/routes.hpp"

#include "core/base/text.hpp"
#include "core/generate/metadata.hpp"

namespace deployctl::generate {
namespace {

using json::Value;

bool is_split_by_istio(const project::Service& service) {
  return service.strategy.type == project::Strategy::Type::canary &&
         service.strategy.canary.router == project::Router::istio;
}

// "infra/public" or "public".
Value parent_reference(std::string_view gateway) {
  const auto [first, second] = base::split_once(gateway, '/');
  return second.empty() ? Value{{"name", first}} : Value{{"name", second}, {"namespace", first}};
}

// Requests from the mesh carry no outer path: they are for the service, whatever it is.
Value istio_matches(const project::Ingress& ingress) {
  const Value outer{{"uri", {{"prefix", ingress.path}}}, {"gateways", Value::array({ingress.gateway})}};
  const Value inner{{"gateways", Value::array({"mesh"})}};
  return Value::array({outer, inner});
}

}  // namespace

bool has_http_route(const project::Service& service) {
  return service.ingress && !service.ingress->gateway.empty() && !is_split_by_istio(service);
}

bool has_virtual_service(const project::Service& service) {
  return is_split_by_istio(service);
}

Value http_route(const project::Target& target, const project::Service& service, int port) {
  auto body = object_of("gateway.networking.k8s.io/v1", "HTTPRoute", target, service, *service.name);
  auto& spec = body["spec"];
  spec["parentRefs"] = Value::array({parent_reference(service.ingress->gateway)});
  if (!service.ingress->host.empty()) {
    spec["hostnames"] = Value::array({service.ingress->host});
  }
  const Value path{{"path", {{"type", "PathPrefix"}, {"value", service.ingress->path}}}};
  const Value backend{{"name", *service.name}, {"port", port}};
  spec["rules"] = Value::array({{{"matches", Value::array({path})}, {"backendRefs", Value::array({backend})}}});
  return body;
}

Value virtual_service(const project::Target& target, const project::Service& service, int port) {
  auto body = object_of("networking.istio.io/v1", "VirtualService", target, service, *service.name);
  auto& spec = body["spec"];
  auto rule = Value::object();
  spec["hosts"] = Value::array({*service.name});
  if (service.ingress) {
    if (!service.ingress->host.empty()) {
      spec["hosts"].push_back(service.ingress->host);
    }
    spec["gateways"] = Value::array({service.ingress->gateway, "mesh"});
    rule["match"] = istio_matches(*service.ingress);
  }
  const Value destination{{"host", *service.name}, {"port", {{"number", port}}}};
  rule["route"] = Value::array({{{"destination", destination}}});
  spec["http"] = Value::array({std::move(rule)});
  return body;
}

}  // namespace deployctl::generate
