#include "core/kube/address_change.hpp"

#include "core/json/value.hpp"

#include <gtest/gtest.h>

#include <string>

namespace deployctl::kube {
namespace {

using json::Value;

struct Port {
  std::string name;
  int number = 0;
};
using Ports = std::vector<Port>;

Value pod_spec(const Ports& ports) {
  auto list = Value::array();
  for (const auto& [name, number] : ports) {
    Value port = {{"containerPort", number}, {"protocol", "TCP"}};
    if (!name.empty()) {
      port["name"] = name;
    }
    list.push_back(std::move(port));
  }
  return {{"containers", {{{"name", "web"}, {"ports", std::move(list)}}}}};
}

Object pod(const Ports& ports) {
  return {{{"kind", "Pod"}, {"spec", pod_spec(ports)}}};
}

Object deployment(const Ports& ports) {
  return {{{"kind", "Deployment"}, {"spec", {{"template", {{"spec", pod_spec(ports)}}}}}}};
}

struct Way {
  int port = 0;
  Value target;
};

Object service(const std::vector<Way>& ways) {
  auto list = Value::array();
  for (const auto& [port, target] : ways) {
    list.push_back({{"port", port}, {"targetPort", target}, {"protocol", "TCP"}});
  }
  return {{{"kind", "Service"}, {"spec", {{"selector", {{"app", "web"}}}, {"ports", std::move(list)}}}}};
}

const Object by_http = service({{8080, "http"}});
const Object by_web = service({{8080, "web"}});

AddressChange change(const Object& live, const Object& wanted, const Ports& new_ports,
                     const std::vector<Ports>& old_pods) {
  std::vector<Object> serving;
  for (const auto& ports : old_pods) {
    serving.push_back(pod(ports));
  }
  return address_change(live, wanted, deployment(new_ports), serving);
}

TEST(AddressChange, IsNoneWhereTheWaysAreTheSame) {
  EXPECT_TRUE(leads_the_same(by_http, by_http));
  EXPECT_FALSE(leads_the_same(by_http, by_web));
  EXPECT_FALSE(leads_the_same(by_http, service({{80, "http"}})));
  EXPECT_FALSE(leads_the_same(by_http, service({{8080, 8080}})));
  EXPECT_FALSE(leads_the_same(by_http, service({{8080, "http"}, {9090, "metrics"}})));
  auto foreign = by_http;
  foreign.body["spec"]["selector"] = {{"app", "other"}};
  EXPECT_FALSE(leads_the_same(by_http, foreign));
}

TEST(AddressChange, IsAtOnceWhereThePodsKnowTheNames) {
  EXPECT_TRUE(change(by_http, by_http, {{"http", 8080}}, {{{"http", 8080}}}).can_be_at_once);
  EXPECT_TRUE(change(by_http, by_http, {{"http", 9090}}, {{{"http", 8080}}}).can_be_at_once) << "each by itself";
  EXPECT_TRUE(change(by_http, service({{9090, "http"}}), {{"http", 9090}}, {{{"http", 8080}}}).can_be_at_once)
      << "what clients use changes, not what it leads to";
  EXPECT_TRUE(change(by_http, by_web, {{"web", 8080}}, {}).can_be_at_once) << "nobody serves";
}

TEST(AddressChange, IsByNumberWhileOneNameTakesThePlaceOfAnother) {
  const auto renamed = change(by_http, by_web, {{"web", 8080}}, {{{"http", 8080}}});
  EXPECT_FALSE(renamed.can_be_at_once);
  EXPECT_TRUE(renamed.misses_new_pods);
  ASSERT_TRUE(renamed.meanwhile);
  EXPECT_EQ(*renamed.meanwhile, service({{8080, 8080}}));

  const auto again = change(service({{8080, 8080}}), by_web, {{"web", 8080}}, {{{"web", 8080}}, {{"http", 8080}}});
  EXPECT_FALSE(again.can_be_at_once) << "a run that goes on where another one ended";
  EXPECT_FALSE(again.misses_new_pods);
  EXPECT_EQ(again.meanwhile, service({{8080, 8080}}));
}

TEST(AddressChange, IsByNumberWhereTheOldPodsDeclareNothing) {
  const auto taken_over = change(service({{80, 8080}}), service({{80, "http"}}), {{"http", 8080}}, {{}});
  EXPECT_FALSE(taken_over.can_be_at_once);
  EXPECT_EQ(taken_over.meanwhile, service({{80, 8080}}));
}

TEST(AddressChange, ComesAfterThePodsWhereNothingIsRightForBoth) {
  const auto both = change(by_http, by_web, {{"web", 9090}}, {{{"http", 8080}}});
  EXPECT_FALSE(both.can_be_at_once);
  EXPECT_FALSE(both.meanwhile);
  EXPECT_TRUE(both.misses_new_pods);

  const auto clients_too = change(by_http, service({{9090, "web"}}), {{"web", 9090}}, {{{"http", 8080}}});
  EXPECT_FALSE(clients_too.can_be_at_once);
  EXPECT_FALSE(clients_too.meanwhile);
}

TEST(AddressChange, DoesNotWaitForPortsThatNobodyUsesYet) {
  const auto one_more = change(by_http, service({{8080, "http"}, {9100, "metrics"}}),
                               {{"http", 8080}, {"metrics", 9100}}, {{{"http", 8080}}});
  EXPECT_TRUE(one_more.can_be_at_once);

  const auto renamed = change(by_http, service({{8080, "web"}, {9100, "metrics"}}), {{"web", 8080}, {"metrics", 9100}},
                              {{{"http", 8080}}});
  EXPECT_FALSE(renamed.can_be_at_once);
  EXPECT_EQ(renamed.meanwhile, service({{8080, 8080}, {9100, "metrics"}}));
}

TEST(AddressChange, LeavesThePortsToRoutesAsTheyKnowThem) {
  auto live = by_http;
  live.body["spec"]["ports"][0]["name"] = "http";
  auto wanted = by_web;
  wanted.body["spec"]["ports"][0]["name"] = "web";
  const auto renamed = change(live, wanted, {{"web", 8080}}, {{{"http", 8080}}});
  ASSERT_TRUE(renamed.meanwhile);
  EXPECT_EQ(renamed.meanwhile->body["spec"]["ports"][0]["name"], "http");
  EXPECT_TRUE(renamed.keeps_ports);

  const auto renumbered = change(live, service({{80, "web"}}), {{"web", 8080}}, {{{"http", 8080}}});
  EXPECT_EQ(renumbered.meanwhile, service({{80, 8080}}));
  EXPECT_FALSE(renumbered.keeps_ports);
  const auto one_less = change(service({{8080, "http"}, {9090, "metrics"}}), by_web, {{"web", 8080}},
                               {{{"http", 8080}, {"metrics", 9090}}});
  EXPECT_EQ(one_less.meanwhile, service({{8080, 8080}}));
  EXPECT_TRUE(one_less.keeps_ports) << "routes lead to the first";
  const auto another_first = change(service({{9090, "metrics"}, {8080, "http"}}), by_web, {{"web", 8080}},
                                    {{{"http", 8080}, {"metrics", 9090}}});
  EXPECT_EQ(another_first.meanwhile, service({{8080, 8080}}));
  EXPECT_FALSE(another_first.keeps_ports) << "what they lead to has gone";
  EXPECT_TRUE(change(live, service({{9090, "web"}}), {{"web", 9090}}, {{{"http", 8080}}}).keeps_ports);
}

TEST(AddressChange, HoldsRoutesBackFromAFirstPortThatOnlyTheNewPodsHave) {
  const auto in_front =
      change(by_http, service({{9090, "web"}, {8080, "http"}}), {{"web", 9090}, {"http", 8080}}, {{{"http", 8080}}});
  EXPECT_FALSE(in_front.can_be_at_once);
  EXPECT_EQ(in_front.meanwhile, service({{9090, "web"}, {8080, "http"}}));
  EXPECT_TRUE(in_front.keeps_ports);

  const auto renamed_too =
      change(by_http, service({{9090, "web"}, {8080, "api"}}), {{"web", 9090}, {"api", 8080}}, {{{"http", 8080}}});
  EXPECT_EQ(renamed_too.meanwhile, service({{9090, "web"}, {8080, 8080}}));
  EXPECT_TRUE(renamed_too.keeps_ports);
}

TEST(AddressChange, LeavesClientsOfOldPodsWhereTheyAre) {
  const auto reordered = change(service({{80, "http"}}), service({{80, "admin"}}), {{"admin", 9090}, {"http", 8080}},
                                {{{"http", 8080}, {"admin", 9090}}});
  EXPECT_FALSE(reordered.can_be_at_once);
  EXPECT_FALSE(reordered.meanwhile);
  EXPECT_FALSE(reordered.misses_new_pods);
}

TEST(AddressChange, KnowsThatANumberIsLookedUpInNoPod) {
  const auto elsewhere = change(service({{8080, 8080}}), by_web, {{"web", 9090}}, {{{"http", 8080}}});
  EXPECT_FALSE(elsewhere.can_be_at_once);
  EXPECT_FALSE(elsewhere.meanwhile);
  EXPECT_TRUE(elsewhere.misses_new_pods) << "they get requests where they do not listen";
}

TEST(AddressChange, DoesNotTakeANameForAnotherPort) {
  const auto live = service({{8080, "http"}, {8081, "web"}});
  const auto swapped = change(live, service({{8080, "web"}, {8081, "http"}}), {{"web", 8080}, {"http", 8081}},
                              {{{"http", 8080}, {"web", 8081}}});
  EXPECT_EQ(swapped.meanwhile, service({{8080, 8080}, {8081, 8081}}));
}

TEST(AddressChange, WaitsWhereTheServiceSelectsOtherPods) {
  auto foreign = by_http;
  foreign.body["spec"]["selector"] = {{"app", "other"}};
  const auto taken_over = change(foreign, by_http, {{"http", 8080}}, {{{"http", 8080}}});
  EXPECT_FALSE(taken_over.can_be_at_once);
  EXPECT_FALSE(taken_over.meanwhile);
  EXPECT_FALSE(taken_over.misses_new_pods);

  auto live = by_http;
  live.body["spec"]["selector"] = {{"a", "1"}, {"b", "2"}};
  auto wanted = by_http;
  wanted.body["spec"]["selector"] = {{"b", "2"}, {"a", "1"}};
  EXPECT_TRUE(change(live, wanted, {{"http", 8080}}, {{{"http", 8080}}}).can_be_at_once) << "in any order";
}

TEST(AddressChange, IsAtOnceForWhatLeadsToNoPods) {
  Object external = {{{"kind", "Service"}, {"spec", {{"type", "ExternalName"}, {"externalName", "db.example.com"}}}}};
  EXPECT_TRUE(change(external, by_web, {{"web", 8080}}, {{{"http", 8080}}}).can_be_at_once);
  EXPECT_TRUE(change(by_http, external, {{"web", 8080}}, {{{"http", 8080}}}).can_be_at_once);
}

}  // namespace
}  // namespace deployctl::kube
