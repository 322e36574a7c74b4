#include "core/generate/sides.hpp"

#include "core/generate/kubernetes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::generate {
namespace {

std::map<std::string, kube::Object> objects_on(Side side) {
  project::Service api{.name = {"api", {}}, .image = {"example.com/api:1", {}}};
  api.ports = {{.name = "http", .number = 8080, .span = {}}};
  api.env = {{"LOG_LEVEL", {"info", {}}}};
  api.scale = project::Scale{.min = 2, .max = 5};
  project::Target target{.project = {"shop", {}}, .name_space = "shop"};
  target.services = {api};
  const auto made = kubernetes_objects(target, target.services.front(), {});
  EXPECT_TRUE(made);
  std::map<std::string, kube::Object> by_kind;
  for (const auto& object : *made) {
    by_kind[object.kind()] = on_side(object, side);
  }
  return by_kind;
}

bool selects(const json::Value& selector, const json::Value& labels) {
  for (const auto& [name, value] : selector.items()) {
    if (!labels.contains(name) || labels[name] != value) {
      return false;
    }
  }
  return true;
}

TEST(Sides, BlueIsTheServiceAsItAlwaysIs) {
  EXPECT_EQ(objects_on(Side::blue).at("Deployment").name(), "api");
  EXPECT_EQ(side_name("api", Side::blue), "api");
  EXPECT_EQ(objects_on(Side::green).at("Deployment").name(), "api-green");
}

TEST(Sides, NeitherSelectsThePodsOfTheOther) {
  const auto blue = objects_on(Side::blue).at("Deployment").body["spec"];
  const auto green = objects_on(Side::green).at("Deployment").body["spec"];
  const auto labels = [](const json::Value& spec) { return spec["template"]["metadata"]["labels"]; };
  EXPECT_TRUE(selects(blue["selector"]["matchLabels"], labels(blue)));
  EXPECT_TRUE(selects(green["selector"]["matchLabels"], labels(green)));
  EXPECT_FALSE(selects(blue["selector"]["matchLabels"], labels(green)));
  EXPECT_FALSE(selects(green["selector"]["matchLabels"], labels(blue)));
}

TEST(Sides, EverythingThatRefersToPodsLeadsToOneSide) {
  for (const auto side : {Side::blue, Side::green}) {
    const auto objects = objects_on(side);
    const auto labels = objects.at("Deployment").body["spec"]["template"]["metadata"]["labels"];
    EXPECT_TRUE(selects(objects.at("Service").body["spec"]["selector"], labels));
    EXPECT_TRUE(selects(objects.at("PodDisruptionBudget").body["spec"]["selector"]["matchLabels"], labels));
    EXPECT_EQ(objects.at("HorizontalPodAutoscaler").body["spec"]["scaleTargetRef"]["name"],
              objects.at("Deployment").name());
    EXPECT_TRUE(
        selects(objects.at("Deployment")
                    .body["spec"]["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
                labels));
    for (const auto* kind : {"Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"}) {
      EXPECT_EQ(objects.at(kind).name(), "api") << "they are there once";
    }
  }
}

TEST(Sides, WhichIsLiveStandsInTheSelectorOfTheService) {
  EXPECT_EQ(live_side(objects_on(Side::blue).at("Service")), Side::blue);
  EXPECT_EQ(live_side(objects_on(Side::green).at("Service")), Side::green);
}

TEST(Sides, ConfigurationBelongsToBoth) {
  EXPECT_EQ(objects_on(Side::blue).at("ConfigMap"), objects_on(Side::green).at("ConfigMap"));
}

}  // namespace
}  // namespace deployctl::generate
