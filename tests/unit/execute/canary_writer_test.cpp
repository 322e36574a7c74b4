#include "core/execute/canary_writer.hpp"

#include "tests/unit/execute/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::execute {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string route_path = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/api";

json::Value condition(const char* type) {
  return {{"type", type}, {"status", "True"}, {"observedGeneration", 2}};
}

// As the cluster has it, and what its Gateway says of it.
kube::Object route(bool is_taken_up) {
  const json::Value parent = {{"name", "public"}};
  const json::Value backend = {{"name", "api"}, {"port", 80}};
  kube::Object route{{{"apiVersion", "gateway.networking.k8s.io/v1"},
                      {"kind", "HTTPRoute"},
                      {"metadata", {{"name", "api"}, {"namespace", "shop"}, {"generation", 2}}},
                      {"spec", {{"parentRefs", {parent}}, {"rules", {{{"backendRefs", {backend}}}}}}}}};
  if (is_taken_up) {
    const json::Value conditions = {condition("Accepted"), condition("ResolvedRefs")};
    route.body["status"]["parents"] = {{{"parentRef", parent}, {"conditions", conditions}}};
  }
  return route;
}

// A canary whose route is given its share.
class Routed : public ::testing::Test {
 protected:
  Routed() : client_(world_.client()), ports_(world_.run_ports()) {
    world_.transport.on(
        "GET /apis", {{.body = R"({"groups":[{"name":"gateway.networking.k8s.io","versions":[{"version":"v1"}]}]})"}});
    world_.transport.on("PATCH " + route_path, {answer(false)});
  }

  static cluster::Answer answer(bool is_taken_up) { return {.body = route(is_taken_up).body.dump()}; }

  base::Status give_share(std::vector<cluster::Answer> as_told) {
    world_.transport.on("GET " + route_path, std::move(as_told));
    canary::Parts parts{.name = "api", .deployment = {}, .service = {}, .wanted = {}, .live = {}};
    parts.live.http_route = route(false);
    const project::Canary settings{.router = project::Router::gateway};
    CanaryRecord record({}, {});
    const CanaryRun run{.parts = parts,
                        .settings = settings,
                        .step = "canary:api",
                        .directory = {},
                        .record = record,
                        .client = *client_,
                        .ports = ports_};
    return CanaryWriter(run).route(settings, 25);
  }

  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> texts;
    for (const auto& event : world_.events.events) {
      if (const auto* note = std::get_if<events::Note>(&event)) {
        texts.push_back(note->text);
      }
    }
    return texts;
  }

  PlayedWorld world_;
  std::unique_ptr<cluster::Client> client_;
  Ports ports_;
};

TEST_F(Routed, SaysNothingOfAGatewayThatTakesTheRouteUpAtOnce) {
  const auto given = give_share({answer(false), answer(true)});
  EXPECT_TRUE(given) << base::to_string(given.error());
  EXPECT_THAT(notes(), IsEmpty());
}

TEST_F(Routed, SaysOnceWhatItWaitsForAndWaitsNoLongerThanAMinute) {
  const auto given = give_share({answer(false)});
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().message,
            "the route of api does not hold after 1m: gateway public has not taken up the route yet");
  EXPECT_THAT(notes(), ElementsAre("waiting until the route of api holds, at most 1m: gateway public has not taken up "
                                   "the route yet"));
}

}  // namespace
}  // namespace deployctl::execute
