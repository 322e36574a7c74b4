// The objects of a canary, compared as a whole with the ones they are made from.
#include "core/canary/parts.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace deployctl::canary {
namespace {

using json::Value;
using project::Router;

Value parse(std::string_view text) {
  return *json::parse(text, "test");
}

Value metadata() {
  return parse(R"({"name": "api", "namespace": "shop",
                   "labels": {"app.kubernetes.io/name": "api", "app.kubernetes.io/instance": "shop"}})");
}

kube::Object object(std::string_view api_version, std::string_view kind, std::string_view spec) {
  return {{{"apiVersion", api_version}, {"kind", kind}, {"metadata", metadata()}, {"spec", parse(spec)}}};
}

std::vector<kube::Object> objects() {
  return {
      object(
          "v1", "Service",
          R"({"type": "NodePort", "selector": {"app.kubernetes.io/name": "api", "app.kubernetes.io/instance": "shop"},
                 "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080}]})"),
      object("apps/v1", "Deployment",
             R"({"replicas": 3,
                 "selector": {"matchLabels": {"app.kubernetes.io/name": "api", "app.kubernetes.io/instance": "shop"}},
                 "template": {"metadata": {"labels": {"app.kubernetes.io/name": "api", "app.kubernetes.io/instance": "shop",
                                                      "deployctl.dev/service": "api"}},
                              "spec": {"containers": [{"name": "api", "image": "example.com/api@sha256:1"}]}}})"),
      object("autoscaling/v2", "HorizontalPodAutoscaler", R"({"minReplicas": 2, "maxReplicas": 6})"),
      object("networking.k8s.io/v1", "Ingress",
             R"({"ingressClassName": "nginx", "rules": [{"host": "api.example.com", "http": {"paths": [
                 {"path": "/", "pathType": "Prefix",
                  "backend": {"service": {"name": "api", "port": {"name": "http"}}}}]}}]})"),
      object("gateway.networking.k8s.io/v1", "HTTPRoute",
             R"({"parentRefs": [{"name": "public", "namespace": "infra"}], "hostnames": ["api.example.com"],
                 "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                            "backendRefs": [{"name": "api", "port": 80}]}]})"),
      object("networking.istio.io/v1", "VirtualService",
             R"({"hosts": ["api"], "http": [{"match": [{"uri": {"prefix": "/v1"}}],
                                             "route": [{"destination": {"host": "api", "port": {"number": 80}}}]}]})"),
  };
}

Parts parts() {
  const auto all = objects();
  return *parts_of(all, "api");
}

project::Canary canary_by(Router router) {
  project::Canary canary;
  canary.router = router;
  canary.steps = {{.weight = 5}};
  return canary;
}

bool selects(const Value& selector, const Value& labels) {
  for (const auto& [key, value] : selector.items()) {
    if (!labels.contains(key) || labels[key] != value) {
      return false;
    }
  }
  return true;
}

const Value& pod_labels(const kube::Object& deployment) {
  return deployment.body["spec"]["template"]["metadata"]["labels"];
}

TEST(Parts, AreThoseOfTheService) {
  const auto all = objects();
  EXPECT_EQ(parts_of(all, "web").error().message, "the release has no Deployment of 'web'");
  EXPECT_EQ(parts().deployment, all[1]);
  EXPECT_EQ(parts().wanted.http_route, all[4]);
  EXPECT_EQ(parts().live.http_route, all[4]) << "no release is known: what is wanted is given back";
}

TEST(CanaryDeployment, AndTheStableOneSelectOnlyTheirOwnPods) {
  const auto stable = parts().deployment;
  const auto canary = canary_deployment(parts(), 2);
  const auto& stable_selector = stable.body["spec"]["selector"]["matchLabels"];
  const auto& canary_selector = canary.body["spec"]["selector"]["matchLabels"];

  EXPECT_EQ(canary.name(), "api-canary");
  EXPECT_EQ(canary.body["spec"]["replicas"], 2);
  EXPECT_TRUE(selects(canary_selector, pod_labels(canary)));
  EXPECT_FALSE(selects(canary_selector, pod_labels(stable)));
  EXPECT_FALSE(selects(stable_selector, pod_labels(canary)));
  EXPECT_EQ(canary.body["spec"]["template"]["spec"], stable.body["spec"]["template"]["spec"]);
}

// An autoscaler owns the number of the stable pods.
TEST(CanaryDeployment, HasANumberOfPodsAlsoWhereTheStableOneSaysNone) {
  auto scaled = parts();
  scaled.deployment.body["spec"].erase("replicas");
  const auto canary = canary_deployment(scaled, 2);
  EXPECT_EQ(canary.body["spec"]["replicas"], 2);
  EXPECT_TRUE(selects(canary.body["spec"]["selector"]["matchLabels"], pod_labels(canary)));
}

TEST(CanaryService, LeadsToTheCanaryAlone) {
  const auto service = canary_service(parts());
  const auto& selector = service.body["spec"]["selector"];

  EXPECT_EQ(service.name(), "api-canary");
  EXPECT_TRUE(selects(selector, pod_labels(canary_deployment(parts(), 1))));
  EXPECT_FALSE(selects(selector, pod_labels(parts().deployment)));
  EXPECT_EQ(service.body["spec"]["type"], "ClusterIP");
  EXPECT_EQ(service.body["spec"]["ports"], parse(R"([{"name": "http", "port": 80, "targetPort": "http"}])"));
}

TEST(Shares, LeaveTheStablePodsAsTheyAre) {
  struct Row {
    int weight, wanted, stable, canary, percent;
  };
  for (const auto& row :
       {Row{5, 3, 3, 1, 25}, Row{10, 9, 9, 1, 10}, Row{25, 3, 3, 1, 25}, Row{50, 3, 3, 3, 50}, Row{75, 3, 3, 3, 50},
        Row{34, 10, 10, 5, 33}, Row{49, 100, 100, 96, 49}, Row{50, 1, 1, 1, 50}, Row{99, 1, 1, 1, 50},
        Row{20, 40, 40, 10, 20}, Row{1, 1000, 1000, 10, 1}, Row{10, 0, 1, 1, 50}}) {
    const auto shares = shares_at(Router::replicas, row.weight, row.wanted);
    EXPECT_EQ(shares, (Shares{row.stable, row.canary})) << row.weight << " of " << row.wanted;
    EXPECT_EQ(shares.percent(), row.percent) << row.weight << " of " << row.wanted;
  }
}

TEST(Shares, AreNeverMoreThanTwiceTheWantedPodsAndNeverNone) {
  for (int wanted = 1; wanted <= 50; ++wanted) {
    int before = 0;
    for (int weight = 1; weight <= 99; ++weight) {
      const auto shares = shares_at(Router::replicas, weight, wanted);
      EXPECT_GE(shares.stable, 1);
      EXPECT_GE(shares.canary, 1);
      EXPECT_LE(shares.stable + shares.canary, 2 * wanted);
      EXPECT_GE(shares.percent(), before);
      before = shares.percent();
    }
  }
}

TEST(Shares, OfARouterThatSplitsRequestsAreEnoughForTheirLoad) {
  EXPECT_EQ(shares_at(Router::gateway, 5, 10), (Shares{10, 1}));
  EXPECT_EQ(shares_at(Router::gateway, 11, 10), (Shares{10, 2}));
  EXPECT_EQ(shares_at(Router::nginx, 99, 10), (Shares{10, 10}));
}

TEST(Autoscaler, IsHeldAtWhatThereIsWithinItsOwnBounds) {
  const auto minimum = [](int replicas) {
    return held(*parts().live.autoscaler, replicas).body["spec"]["minReplicas"].get<int>();
  };
  EXPECT_EQ(minimum(5), 5);
  EXPECT_EQ(minimum(1), 2);
  EXPECT_EQ(minimum(9), 6);
}

TEST(ReplicasRouter, LetsTheServiceSelectBothKindsOfPods) {
  const auto routes = routes_at(parts(), canary_by(Router::replicas), 5);
  ASSERT_EQ(routes.size(), 1U);
  const auto& selector = routes[0].body["spec"]["selector"];
  EXPECT_EQ(routes[0].name(), "api");
  EXPECT_EQ(selector, parse(R"({"app.kubernetes.io/instance": "shop", "deployctl.dev/service": "api"})"));
  EXPECT_TRUE(selects(selector, pod_labels(parts().deployment)));
  EXPECT_TRUE(selects(selector, pod_labels(canary_deployment(parts(), 1))));
  EXPECT_EQ(routes_after(parts(), canary_by(Router::replicas), End::aborted), std::vector{parts().service});
}

// The release that is live listens at "http", 8080; the new one at what is given.
Parts parts_with_port(const std::string& name, int number) {
  auto live = objects();
  auto wanted = objects();
  const auto set_port = [](std::vector<kube::Object>& all, const std::string& port, int at) {
    all[0].body["spec"]["ports"] = {{{"name", port}, {"port", 80}, {"targetPort", port}}};
    all[1].body["spec"]["template"]["spec"]["containers"][0]["ports"] = {{{"name", port}, {"containerPort", at}}};
    all[3].body["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"]["name"] = port;
  };
  set_port(live, "http", 8080);
  set_port(wanted, name, number);
  return *parts_of(wanted, "api", live);
}

TEST(ReplicasRouter, LeadsByNumberWhereTheNamesDiffer) {
  const auto target = [](const Parts& parts) {
    return routes_at(parts, canary_by(Router::replicas), 5)[0].body["spec"]["ports"][0]["targetPort"];
  };
  EXPECT_EQ(target(parts_with_port("http", 9090)), "http") << "each pod is asked by itself";
  EXPECT_EQ(target(parts_with_port("web", 8080)), 8080);
  EXPECT_TRUE(can_share_service(parts_with_port("web", 8080)));
  EXPECT_FALSE(can_share_service(parts_with_port("web", 9090)));
  EXPECT_EQ(routes_after(parts_with_port("web", 8080), canary_by(Router::replicas), End::aborted)[0]
                .body["spec"]["ports"][0]["targetPort"],
            "http");
}

TEST(ReplicasRouter, IsNotHinderedByAPortThatGoes) {
  auto live = objects();
  auto wanted = objects();
  live[0].body["spec"]["ports"] = {{{"name", "http"}, {"port", 80}, {"targetPort", "http"}},
                                   {{"name", "metrics"}, {"port", 9090}, {"targetPort", "metrics"}}};
  live[1].body["spec"]["template"]["spec"]["containers"][0]["ports"] = {{{"name", "http"}, {"containerPort", 8080}},
                                                                        {{"name", "metrics"}, {"containerPort", 9090}}};
  wanted[0].body["spec"]["ports"] = {{{"name", "web"}, {"port", 80}, {"targetPort", "web"}}};
  wanted[1].body["spec"]["template"]["spec"]["containers"][0]["ports"] = {{{"name", "web"}, {"containerPort", 8080}}};
  const auto parts = *parts_of(wanted, "api", live);
  EXPECT_TRUE(can_share_service(parts));
  const auto ports = routes_at(parts, canary_by(Router::replicas), 5)[0].body["spec"]["ports"];
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_EQ(ports[0]["targetPort"], 8080);
  EXPECT_EQ(ports[1]["targetPort"], "metrics");
}

TEST(NginxRouter, LeadsToThePortOfTheNewVersion) {
  const auto routes = routes_at(parts_with_port("web", 9090), canary_by(Router::nginx), 5);
  EXPECT_EQ(routes[0].body["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"],
            parse(R"({"name": "api-canary", "port": {"name": "web"}})"));
}

TEST(NginxRouter, MakesASecondIngress) {
  auto canary = canary_by(Router::nginx);
  canary.header = project::RequestHeader{.name = "X-Canary"};
  canary.cookie = "canary";
  const auto routes = routes_at(parts(), canary, 5);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].body, parse(R"({
    "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
    "metadata": {"name": "api-canary", "namespace": "shop",
                 "labels": {"app.kubernetes.io/name": "api-canary", "app.kubernetes.io/instance": "shop"},
                 "annotations": {"nginx.ingress.kubernetes.io/canary": "true",
                                 "nginx.ingress.kubernetes.io/canary-weight": "5",
                                 "nginx.ingress.kubernetes.io/canary-by-header": "X-Canary",
                                 "nginx.ingress.kubernetes.io/canary-by-header-value": "always",
                                 "nginx.ingress.kubernetes.io/canary-by-cookie": "canary",
                                 "nginx.ingress.kubernetes.io/affinity-canary-behavior": "legacy"}},
    "spec": {"ingressClassName": "nginx", "rules": [{"host": "api.example.com", "http": {"paths": [
      {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "api-canary", "port": {"name": "http"}}}}]}}]}})"));

  const auto closed = routes_after(parts(), canary, End::aborted)[0].body["metadata"]["annotations"];
  EXPECT_EQ(closed, parse(R"({"nginx.ingress.kubernetes.io/canary": "true",
                              "nginx.ingress.kubernetes.io/canary-weight": "0",
                              "nginx.ingress.kubernetes.io/affinity-canary-behavior": "legacy"})"));
}

TEST(GatewayRouter, SendsTheWholeListOfBackends) {
  auto canary = canary_by(Router::gateway);
  canary.header = project::RequestHeader{.name = "X-Canary", .value = "beta"};
  const auto routes = routes_at(parts(), canary, 5);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].body["spec"], parse(R"({
    "parentRefs": [{"name": "public", "namespace": "infra"}], "hostnames": ["api.example.com"],
    "rules": [
      {"matches": [{"path": {"type": "PathPrefix", "value": "/"},
                    "headers": [{"type": "Exact", "name": "X-Canary", "value": "beta"}]}],
       "backendRefs": [{"name": "api-canary", "port": 80}]},
      {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
       "backendRefs": [{"name": "api", "port": 80, "weight": 95}, {"name": "api-canary", "port": 80, "weight": 5}]}]})"));
  EXPECT_EQ(routes_after(parts(), canary, End::promoted), std::vector{*parts().wanted.http_route});
}

TEST(IstioRouter, SplitsToAHundred) {
  auto canary = canary_by(Router::istio);
  canary.header = project::RequestHeader{.name = "X-Canary"};
  canary.cookie = "canary";
  const auto routes = routes_at(parts(), canary, 5);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].body["spec"], parse(R"({
    "hosts": ["api"],
    "http": [
      {"match": [{"uri": {"prefix": "/v1"}, "headers": {"x-canary": {"exact": "always"}}},
                 {"uri": {"prefix": "/v1"}, "headers": {"cookie": {"regex": "^(.*?;\\s*)?canary=always(;.*)?$"}}}],
       "route": [{"destination": {"host": "api-canary", "port": {"number": 80}}}]},
      {"match": [{"uri": {"prefix": "/v1"}}],
       "route": [{"destination": {"host": "api", "port": {"number": 80}}, "weight": 95},
                 {"destination": {"host": "api-canary", "port": {"number": 80}}, "weight": 5}]}]})"));
  EXPECT_EQ(routes_after(parts(), canary, End::promoted), std::vector{*parts().wanted.virtual_service});
}

std::vector<std::string> names_of_made(const Parts& parts, Router router, End end) {
  std::vector<std::string> made;
  for (const auto& key : made_for_canary(parts, canary_by(router), end)) {
    made.push_back(kube::to_string(key));
  }
  return made;
}

TEST(Made, IsNamedInTheOrderInWhichItGoes) {
  for (const auto end : {End::promoted, End::aborted}) {
    EXPECT_EQ(names_of_made(parts(), Router::replicas, end),
              (std::vector<std::string>{"deployment/api-canary", "service/api-canary"}));
    EXPECT_EQ(names_of_made(parts(), Router::nginx, end),
              (std::vector<std::string>{"ingress/api-canary", "deployment/api-canary", "service/api-canary"}));
  }
}

// The new release listens on another port, and is to be reached by another host name.
TEST(LiveRoute, IsWhatIsSplitAndGivenBack) {
  const auto live = objects();
  auto wanted = objects();
  wanted[4].body["spec"]["hostnames"] = {"new.example.com"};
  wanted[4].body["spec"]["rules"][0]["backendRefs"][0]["port"] = 8080;
  const auto moved = *parts_of(wanted, "api", live);
  const auto split = routes_at(moved, canary_by(Router::gateway), 5)[0].body["spec"];
  EXPECT_EQ(split["hostnames"], parse(R"(["api.example.com"])"));
  EXPECT_EQ(split["rules"][0]["backendRefs"], parse(R"([{"name": "api", "port": 80, "weight": 95},
                                                        {"name": "api-canary", "port": 8080, "weight": 5}])"));
  EXPECT_EQ(routes_after(moved, canary_by(Router::gateway), End::aborted), std::vector{live[4]});
  EXPECT_EQ(routes_after(moved, canary_by(Router::gateway), End::promoted), std::vector{wanted[4]});
}

TEST(LiveRoute, ThatIsNotThereGoesAgainAfterAnAbort) {
  const auto wanted = objects();
  const std::vector<kube::Object> live{wanted[0], wanted[1]};
  const auto first = *parts_of(wanted, "api", live);
  EXPECT_EQ(routes_at(first, canary_by(Router::istio), 5).size(), 1U);
  EXPECT_TRUE(routes_after(first, canary_by(Router::istio), End::aborted).empty());
  EXPECT_EQ(names_of_made(first, Router::istio, End::aborted),
            (std::vector<std::string>{"virtualservice/api", "deployment/api-canary", "service/api-canary"}));
  EXPECT_EQ(names_of_made(first, Router::istio, End::promoted),
            (std::vector<std::string>{"deployment/api-canary", "service/api-canary"}));
}

// Somebody has written a rule of their own into the route of a canary.
TEST(WithoutCanary, EverythingElseStaysAsItIs) {
  auto canary = canary_by(Router::gateway);
  canary.header = project::RequestHeader{.name = "X-Canary", .value = "always"};
  const auto theirs = parse(R"({"matches": [{"path": {"type": "PathPrefix", "value": "/v2"}}],
                                "backendRefs": [{"name": "api-v2", "port": 80, "weight": 1}]})");
  auto route = routes_at(parts(), canary, 5)[0];
  route.body["spec"]["rules"].push_back(theirs);
  EXPECT_EQ(patch_without_canary(route, "api")["spec"]["rules"],
            Value::array({parts().wanted.http_route->body["spec"]["rules"][0], theirs}));
  EXPECT_TRUE(patch_without_canary(*parts().wanted.http_route, "api").is_null());

  const auto split = routes_at(parts(), canary_by(Router::istio), 5)[0];
  EXPECT_EQ(patch_without_canary(split, "api")["spec"]["http"], parts().wanted.virtual_service->body["spec"]["http"]);

  const auto shared = routes_at(parts(), canary_by(Router::replicas), 5)[0];
  EXPECT_EQ(patch_without_canary(shared, "api"),
            parse(R"({"spec": {"selector": {"deployctl.dev/service": null, "app.kubernetes.io/name": "api"}}})"));
  EXPECT_TRUE(patch_without_canary(parts().service, "api").is_null());
}

struct RouteRow {
  std::string name;
  std::string status;
  std::string why_not;
};

TEST(HttpRoute, IsTakenUpWhenEveryParentSaysSoOfThisGeneration) {
  const std::vector<RouteRow> rows{
      {"nothing told", "{}", "gateway public has not taken up the route yet"},
      {"both", R"({"parents": [{"parentRef": {"name": "public"}, "conditions": [
          {"type": "Accepted", "status": "True", "observedGeneration": 4},
          {"type": "ResolvedRefs", "status": "True", "observedGeneration": 4}]}]})",
       ""},
      {"of an earlier generation", R"({"parents": [{"parentRef": {"name": "public"}, "conditions": [
          {"type": "Accepted", "status": "True", "observedGeneration": 3},
          {"type": "ResolvedRefs", "status": "True", "observedGeneration": 4}]}]})",
       "gateway public has not said Accepted of this route yet"},
      {"one is missing", R"({"parents": [{"parentRef": {"name": "public"}, "conditions": [
          {"type": "Accepted", "status": "True", "observedGeneration": 4}]}]})",
       "gateway public has not said ResolvedRefs of this route yet"},
      {"unresolved", R"({"parents": [{"parentRef": {"name": "public"}, "conditions": [
          {"type": "Accepted", "status": "True", "observedGeneration": 4},
          {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "service api-canary not found",
           "observedGeneration": 4}]}]})",
       "gateway public: ResolvedRefs is False: service api-canary not found"},
      {"by another gateway", R"({"parents": [{"parentRef": {"name": "private"}, "conditions": [
          {"type": "Accepted", "status": "True", "observedGeneration": 4},
          {"type": "ResolvedRefs", "status": "True", "observedGeneration": 4}]}]})",
       "gateway public has not taken up the route yet"},
  };
  for (const auto& [name, status, why] : rows) {
    auto route = *parts().wanted.http_route;
    route.body["metadata"]["generation"] = 4;
    route.body["status"] = parse(status);
    EXPECT_EQ(why_not_taken_up(route), why) << name;
  }
}

}  // namespace
}  // namespace deployctl::canary
