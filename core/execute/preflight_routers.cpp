#include "core/execute/preflight_routers.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"
#include "core/plan/preflight.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::execute {
namespace {

using base::ErrorCode;

class Routers {
 public:
  Routers(const plan::Plan& plan, bool namespace_exists, cluster::Client& client, std::stop_token stop)
      : plan_(plan), namespace_exists_(namespace_exists), client_(client), stop_(std::move(stop)) {}

  std::map<kube::ObjectKey, base::Error> run() {
    for (const auto& step : plan_.steps) {
      if (const auto* apply = std::get_if<plan::ApplyObject>(&step.action); apply != nullptr) {
        check_route(apply->object);
      } else if (const auto* run = std::get_if<plan::RunCanary>(&step.action); run != nullptr) {
        check_ingress(*run);
      }
    }
    return std::move(refusals_);
  }

 private:
  void check_route(const kube::Object& route) {
    const auto key = route.key();
    if (key.kind != "HTTPRoute" && key.kind != "VirtualService") {
      return;
    }
    const auto served = client_.served(key, stop_);
    if (!served && served.error().code == ErrorCode::not_found) {
      refusals_.emplace(key, base::Error::refused("{}", served.error().message)
                                 .with_hint("install the CRDs of {}, or choose another 'router'",
                                            key.kind == "HTTPRoute" ? "Gateway API" : "Istio"));
    } else if (served && key.kind == "HTTPRoute") {
      check_gateways(route);
    }
  }

  // Without it nobody takes the route up. Who may not see it goes without, and so does a namespace that is made first.
  void check_gateways(const kube::Object& route) {
    for (const auto& parent : json::Reader(route.body).at("spec", "parentRefs").elements()) {
      const auto name_space = parent.at("namespace").string_or(plan_.name_space);
      const bool is_told = name_space != plan_.name_space || namespace_exists_;
      if (parent.at("kind").string_or("Gateway") != "Gateway" || !is_told) {
        continue;
      }
      const auto name = parent.at("name").string_or();
      const auto served = client_.served({route.api_version(), "Gateway", name_space, name}, stop_);
      const auto found = served ? client_.get(*served, stop_) : base::Result<kube::Object>(kube::Object());
      if (!found && found.error().code == ErrorCode::not_found) {
        refusals_.emplace(
            route.key(),
            base::Error::refused("there is no Gateway {} in namespace {} to take the route up", name, name_space)
                .with_hint("make it first, or correct 'ingress.gateway' in the project manifest"));
      }
    }
  }

  void check_ingress(const plan::RunCanary& run) {
    const auto ingress = std::ranges::find(run.objects, "Ingress", &kube::Object::kind);
    if (run.settings.router != project::Router::nginx || ingress == run.objects.end()) {
      return;
    }
    const auto found = client_.get(ingress->key(), stop_);
    if (!found && found.error().code == ErrorCode::not_found) {
      refusals_.emplace(
          ingress->key(),
          base::Error::refused("it is not in namespace {}, and without it the canary's would get every request",
                               plan_.name_space)
              .with_hint("roll it out first, by 'strategy: {{type: rolling}}'"));
    } else {
      check_ingress_class(*ingress);
    }
  }

  // Other controllers take the canary's Ingress for one more of the same host and path. Who may not list the classes
  // goes without.
  void check_ingress_class(const kube::Object& ingress) {
    const auto classes =
        client_.list({.resource = {"networking.k8s.io", "v1", "IngressClass", "ingressclasses", kube::Scope::cluster},
                      .name_space = {}},
                     stop_);
    if (!classes) {
      return;
    }
    for (const auto& each : classes->items) {
      const auto controller = json::Reader(each.body).at("spec", "controller").string_or();
      if (plan::is_class_of(each, ingress) && !plan::is_ingress_nginx(controller)) {
        refusals_.emplace(
            ingress.key(),
            base::Error::refused("its class {} is of the controller {}, which takes the canary's Ingress for another "
                                 "one of the same host and path: 'router: nginx' is for ingress-nginx",
                                 each.name(), base::printable(controller))
                .with_hint("choose another 'router', or an 'ingress.class' of ingress-nginx"));
      }
    }
  }

  const plan::Plan& plan_;
  bool namespace_exists_;
  cluster::Client& client_;
  std::stop_token stop_;
  std::map<kube::ObjectKey, base::Error> refusals_;
};

}  // namespace

std::map<kube::ObjectKey, base::Error> router_refusals(const plan::Plan& plan, bool namespace_exists,
                                                       cluster::Client& client, std::stop_token stop) {
  return Routers(plan, namespace_exists, client, std::move(stop)).run();
}

}  // namespace deployctl::execute
