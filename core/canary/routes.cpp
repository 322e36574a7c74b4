// What splits the requests, for each router.
//
// replicas: the Service selects by a label that stable and canary pods share. nginx: a second Ingress for the same host
// and path (ingress-nginx, "Canary"); of all its annotations only those of the canary count. gateway: the weights of an
// HTTPRoute's backendRefs are proportions. istio: the weights of a VirtualService's destinations sum to 100; both
// destinations are Services of their own, so that no DestinationRule has to be there before the route.
#include "core/base/text.hpp"
#include "core/canary/parts.hpp"
#include "core/json/reader.hpp"
#include "core/kube/labels.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::canary {
namespace {

using json::Value;
using project::Canary;
using project::Router;

constexpr std::string_view name_label = "app.kubernetes.io/name";

kube::Object service_for_all_pods(const Parts& parts) {
  auto service = parts.service;
  auto& selector = service.body["spec"]["selector"];
  selector.erase(std::string(name_label));
  selector[std::string(kube::service_label)] = parts.name;
  return service;
}

void annotate_for_nginx(Value& annotations, const Canary& canary, int weight) {
  const auto set = [&](std::string_view key, std::string value) {
    annotations["nginx.ingress.kubernetes.io/" + std::string(key)] = std::move(value);
  };
  set("canary", "true");
  set("canary-weight", std::to_string(weight));
  if (canary.header && weight > 0) {
    set("canary-by-header", canary.header->name);
    set("canary-by-header-value", canary.header->value);
  }
  if (!canary.cookie.empty() && weight > 0) {
    set("canary-by-cookie", canary.cookie);
  }
  // Sticky sessions would keep users on the canary when its weight is 0 again.
  set("affinity-canary-behavior", "legacy");
}

void lead_to_canary(Value& ingress_spec, const std::string& service, const std::string& canary) {
  for (auto& rule : ingress_spec["rules"]) {
    for (auto& path : rule["http"]["paths"]) {
      auto& name = path["backend"]["service"]["name"];
      name = name == service ? Value(canary) : name;
    }
  }
}

kube::Object canary_ingress(const Parts& parts, const Canary& canary, int weight) {
  auto ingress = *parts.ingress;
  const auto name = canary_name(parts.name);
  ingress.body["metadata"]["name"] = name;
  ingress.body["metadata"]["labels"][std::string(name_label)] = name;
  ingress.body["metadata"]["annotations"] = Value::object();
  annotate_for_nginx(ingress.body["metadata"]["annotations"], canary, weight);
  lead_to_canary(ingress.body["spec"], parts.name, name);
  return ingress;
}

// The same backend under the canary's name.
Value renamed(Value backend, const std::string& name) {
  backend["name"] = name;
  return backend;
}

kube::Object weighted_http_route(const Parts& parts, const Canary& canary, int weight) {
  auto route = *parts.http_route;
  auto& rules = route.body["spec"]["rules"];
  if (weight == 0) {
    return route;
  }
  auto& rule = rules[0];
  const auto backend = rule["backendRefs"][0];
  auto stable = backend;
  auto other = renamed(backend, canary_name(parts.name));
  stable["weight"] = 100 - weight;
  other["weight"] = weight;
  rule["backendRefs"] = Value::array({std::move(stable), std::move(other)});
  if (canary.header) {
    auto chosen = rule;
    for (auto& match : chosen["matches"]) {
      match["headers"] =
          Value::array({{{"type", "Exact"}, {"name", canary.header->name}, {"value", canary.header->value}}});
    }
    chosen["backendRefs"] = Value::array({renamed(backend, canary_name(parts.name))});
    rules.insert(rules.begin(), std::move(chosen));
  }
  return route;
}

// Every condition under which Istio sends a request to the canary.
Value istio_matches(const Value& rule, const Canary& canary) {
  auto matches = Value::array();
  const auto bases = rule.contains("match") ? rule["match"] : Value::array({Value::object()});
  for (const auto& base : bases) {
    if (canary.header) {
      auto match = base;
      match["headers"][base::to_lower(canary.header->name)] = {{"exact", canary.header->value}};
      matches.push_back(std::move(match));
    }
    if (!canary.cookie.empty()) {
      auto match = base;
      match["headers"]["cookie"] = {{"regex", fmt::format("^(.*?;\\s*)?{}=always(;.*)?$", canary.cookie)}};
      matches.push_back(std::move(match));
    }
  }
  return matches;
}

Value istio_destination(const Value& like, const std::string& host) {
  auto destination = like;
  destination["destination"]["host"] = host;
  return destination;
}

kube::Object weighted_virtual_service(const Parts& parts, const Canary& canary, int weight) {
  auto service = *parts.virtual_service;
  if (weight == 0) {
    return service;
  }
  auto& rules = service.body["spec"]["http"];
  auto& rule = rules[0];
  const auto backend = rule["route"][0];
  auto stable = backend;
  auto other = istio_destination(backend, canary_name(parts.name));
  stable["weight"] = 100 - weight;
  other["weight"] = weight;
  rule["route"] = Value::array({std::move(stable), std::move(other)});
  if (auto matches = istio_matches(rule, canary); !matches.empty()) {
    auto chosen = rule;
    chosen["match"] = std::move(matches);
    chosen["route"] = Value::array({istio_destination(backend, canary_name(parts.name))});
    rules.insert(rules.begin(), std::move(chosen));
  }
  return service;
}

// Why one parent has not taken up this generation of the route.
std::string why_not(const json::Reader& parent, long long generation) {
  const auto name = parent.at("parentRef", "name").string_or();
  for (const std::string_view wanted : {"Accepted", "ResolvedRefs"}) {
    bool is_told = false;
    for (const auto& condition : parent.at("conditions").elements()) {
      if (condition.at("type").string_or() != wanted) {
        continue;
      }
      is_told = condition.at("observedGeneration").integer_or(-1) >= generation;
      if (is_told && condition.at("status").string_or() != "True") {
        return fmt::format("gateway {}: {} is {}: {}", name, wanted, condition.at("status").string_or(),
                           base::printable(condition.at("message").string_or(condition.at("reason").string_or())));
      }
    }
    if (!is_told) {
      return fmt::format("gateway {} has not said {} of this route yet", name, wanted);
    }
  }
  return {};
}

}  // namespace

std::vector<kube::Object> routes_at(const Parts& parts, const Canary& canary, int weight) {
  switch (canary.router) {
    case Router::replicas:
      return {weight == 0 ? parts.service : service_for_all_pods(parts)};
    case Router::nginx:
      return parts.ingress ? std::vector{canary_ingress(parts, canary, weight)} : std::vector<kube::Object>{};
    case Router::gateway:
      return parts.http_route ? std::vector{weighted_http_route(parts, canary, weight)} : std::vector<kube::Object>{};
    case Router::istio:
      return parts.virtual_service ? std::vector{weighted_virtual_service(parts, canary, weight)}
                                   : std::vector<kube::Object>{};
  }
  return {};
}

std::string why_not_taken_up(const kube::Object& http_route) {
  const json::Reader reader(http_route.body);
  const auto generation = reader.at("metadata", "generation").integer_or();
  const auto wanted = reader.at("spec", "parentRefs").elements();
  const auto told = reader.at("status", "parents").elements();
  for (const auto& parent : wanted) {
    const auto found = std::ranges::find_if(told, [&](const json::Reader& each) {
      return each.at("parentRef", "name").string_or() == parent.at("name").string_or() &&
             each.at("parentRef", "sectionName").string_or() == parent.at("sectionName").string_or();
    });
    if (found == told.end()) {
      return fmt::format("gateway {} has not taken up the route yet", parent.at("name").string_or());
    }
    if (auto reason = why_not(*found, generation); !reason.empty()) {
      return reason;
    }
  }
  return {};
}

}  // namespace deployctl::canary
