// What splits the requests, for each router.
//
// replicas: the Service selects by a label that stable and canary pods share. nginx: a second Ingress for the same host
// and path (ingress-nginx, "Canary"); of all its annotations only those of the canary count. gateway: the weights of an
// HTTPRoute's backendRefs are proportions. istio: the weights of a VirtualService's destinations sum to 100; both
// destinations are Services of their own, so that no DestinationRule has to be there before the route.
#include "core/base/text.hpp"
#include "core/canary/parts.hpp"
#include "core/json/reader.hpp"
#include "core/kube/address_change.hpp"
#include "core/kube/labels.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace deployctl::canary {
namespace {

using json::Value;
using project::Canary;
using project::Router;

constexpr std::string_view name_label = "app.kubernetes.io/name";

// What the stable pods have; the new version's where they have none.
const std::optional<kube::Object>& base_of(const Parts& parts, std::optional<kube::Object> Surroundings::*route) {
  return parts.live.*route ? parts.live.*route : parts.wanted.*route;
}

// The live Service as far as the new version has it: a port that it gives up leads to the stable pods alone. With none
// in common the first stands for what clients use.
kube::Object with_common_ports(const kube::Object& live, const kube::Object& wanted) {
  const auto in_wanted = json::Reader(wanted.body).at("spec", "ports").elements();
  auto common = Value::array();
  for (const auto& port : json::Reader(live.body).at("spec", "ports").elements()) {
    const auto is_same = [&](const json::Reader& other) {
      return other.at("port").integer() == port.at("port").integer();
    };
    if (std::ranges::any_of(in_wanted, is_same)) {
      common.push_back(*port.value());
    }
  }
  auto service = live;
  auto& ports = service.body["spec"]["ports"];
  if (!common.empty()) {
    ports = std::move(common);
  } else if (ports.size() > 1) {
    ports.erase(ports.begin() + 1, ports.end());
  }
  return service;
}

// For stable pods and the canary's.
kube::AddressChange shared_service(const Parts& parts) {
  const auto& live = parts.live;
  if (!live.service || !live.deployment) {
    return {};
  }
  const auto common = with_common_ports(*live.service, parts.service);
  const kube::Object canary_pod = {{{"spec", parts.deployment.body["spec"]["template"]["spec"]}}};
  auto shared = kube::address_change(common, common, *live.deployment, {&canary_pod, 1});
  if (shared.meanwhile) {
    auto& ports = shared.meanwhile->body["spec"]["ports"];
    const auto is_in = [&](const Value& port) {
      return std::ranges::any_of(ports, [&](const Value& other) { return other["port"] == port["port"]; });
    };
    std::ranges::copy_if(live.service->body["spec"]["ports"], std::back_inserter(ports),
                         [&](const Value& port) { return !is_in(port); });
  }
  return shared;
}

kube::Object service_for_all_pods(const std::string& name, kube::Object service) {
  auto& selector = service.body["spec"]["selector"];
  selector.erase(std::string(name_label));
  selector[std::string(kube::service_label)] = name;
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

// At the port that the new version has there.
void lead_to_canary(const Parts& parts, Value& ingress_spec) {
  for (auto& rule : ingress_spec["rules"]) {
    for (auto& path : rule["http"]["paths"]) {
      auto& backend = path["backend"]["service"];
      if (backend["name"] != parts.name) {
        continue;
      }
      if (parts.wanted.ingress) {
        backend = parts.wanted.ingress->body["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
      }
      backend["name"] = canary_name(parts.name);
    }
  }
}

kube::Object canary_ingress(const Parts& parts, kube::Object ingress, const Canary& canary, int weight) {
  const auto name = canary_name(parts.name);
  ingress.body["metadata"]["name"] = name;
  ingress.body["metadata"]["labels"][std::string(name_label)] = name;
  ingress.body["metadata"]["annotations"] = Value::object();
  annotate_for_nginx(ingress.body["metadata"]["annotations"], canary, weight);
  lead_to_canary(parts, ingress.body["spec"]);
  return ingress;
}

// The canary's backend: at the port that the new version listens on.
Value canary_backend(const Parts& parts, Value backend) {
  if (parts.wanted.http_route) {
    backend = parts.wanted.http_route->body["spec"]["rules"][0]["backendRefs"][0];
  }
  backend["name"] = canary_name(parts.name);
  return backend;
}

kube::Object weighted_http_route(const Parts& parts, kube::Object route, const Canary& canary, int weight) {
  auto& rules = route.body["spec"]["rules"];
  auto& rule = rules[0];
  auto stable = rule["backendRefs"][0];
  const auto backend = canary_backend(parts, stable);
  auto other = backend;
  stable["weight"] = 100 - weight;
  other["weight"] = weight;
  rule["backendRefs"] = Value::array({std::move(stable), std::move(other)});
  if (canary.header) {
    auto chosen = rule;
    for (auto& match : chosen["matches"]) {
      match["headers"] =
          Value::array({{{"type", "Exact"}, {"name", canary.header->name}, {"value", canary.header->value}}});
    }
    chosen["backendRefs"] = Value::array({backend});
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

Value canary_destination(const Parts& parts, Value destination) {
  if (parts.wanted.virtual_service) {
    destination = parts.wanted.virtual_service->body["spec"]["http"][0]["route"][0];
  }
  destination["destination"]["host"] = canary_name(parts.name);
  return destination;
}

kube::Object weighted_virtual_service(const Parts& parts, kube::Object service, const Canary& canary, int weight) {
  auto& rules = service.body["spec"]["http"];
  auto& rule = rules[0];
  auto stable = rule["route"][0];
  const auto backend = canary_destination(parts, stable);
  auto other = backend;
  stable["weight"] = 100 - weight;
  other["weight"] = weight;
  rule["route"] = Value::array({std::move(stable), std::move(other)});
  if (auto matches = istio_matches(rule, canary); !matches.empty()) {
    auto chosen = rule;
    chosen["match"] = std::move(matches);
    chosen["route"] = Value::array({backend});
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

// The member of a service's surroundings that a router splits.
std::optional<kube::Object> Surroundings::*split_by(Router router) {
  switch (router) {
    case Router::replicas:
      return &Surroundings::service;
    case Router::nginx:
      return &Surroundings::ingress;
    case Router::gateway:
      return &Surroundings::http_route;
    case Router::istio:
      return &Surroundings::virtual_service;
  }
  return &Surroundings::service;
}

// Rules of an HTTPRoute or a VirtualService without what leads to the canary; `backends` is their list, and `name`
// where one of these says whom it leads to. The weight of the one that is left means nothing any more.
Value without_canary(const Value& rules, const std::string& backends, const Value::json_pointer& name,
                     const std::string& canary) {
  auto left = Value::array();
  for (auto rule : rules) {
    auto kept = Value::array();
    for (const auto& backend : rule.value(backends, Value::array())) {
      if (!backend.contains(name) || backend[name] != canary) {
        kept.push_back(backend);
      }
    }
    const bool had_canary = kept.size() != rule.value(backends, Value::array()).size();
    if (had_canary && kept.empty()) {
      continue;
    }
    if (had_canary && kept.size() == 1) {
      kept[0].erase("weight");
    }
    if (had_canary) {
      rule[backends] = std::move(kept);
    }
    left.push_back(std::move(rule));
  }
  return left;
}

// Null when the rules are so already.
Value patch_of_rules(const kube::Object& route, const char* rules, const std::string& backends,
                     const Value::json_pointer& name, const std::string& canary) {
  const auto spec = route.body.value("spec", Value::object());
  const auto before = spec.value(rules, Value::array());
  auto after = without_canary(before, backends, name, canary);
  return after == before ? Value() : Value{{"spec", {{rules, std::move(after)}}}};
}

}  // namespace

bool can_share_service(const Parts& parts) {
  const auto shared = shared_service(parts);
  return shared.can_be_at_once || shared.meanwhile;
}

std::vector<kube::Object> routes_at(const Parts& parts, const Canary& canary, int weight) {
  const auto& base = base_of(parts, split_by(canary.router));
  if (!base) {
    return {};
  }
  switch (canary.router) {
    case Router::replicas:
      return {service_for_all_pods(parts.name, shared_service(parts).meanwhile.value_or(*base))};
    case Router::nginx:
      return {canary_ingress(parts, *base, canary, weight)};
    case Router::gateway:
      return {weighted_http_route(parts, *base, canary, weight)};
    case Router::istio:
      return {weighted_virtual_service(parts, *base, canary, weight)};
  }
  return {};
}

std::vector<kube::Object> routes_after(const Parts& parts, const Canary& canary, End end) {
  if (canary.router == Router::nginx) {
    const auto& base = base_of(parts, &Surroundings::ingress);
    return base ? std::vector{canary_ingress(parts, *base, canary, 0)} : std::vector<kube::Object>{};
  }
  const auto& route = (end == End::promoted ? parts.wanted : parts.live).*split_by(canary.router);
  return route ? std::vector{*route} : std::vector<kube::Object>{};
}

Value patch_without_canary(const kube::Object& route, const std::string& service) {
  const auto kind = route.kind();
  const auto canary = canary_name(service);
  if (kind == "HTTPRoute") {
    return patch_of_rules(route, "rules", "backendRefs", Value::json_pointer("/name"), canary);
  }
  if (kind == "VirtualService") {
    return patch_of_rules(route, "http", "route", Value::json_pointer("/destination/host"), canary);
  }
  if (kind == "Service" && json::Reader(route.body).at("spec", "selector", kube::service_label).exists()) {
    const Value selector{{std::string(kube::service_label), nullptr}, {std::string(name_label), service}};
    return {{"spec", {{"selector", selector}}}};
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
