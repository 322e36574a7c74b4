#include "core/generate/sides.hpp"

#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::generate {
namespace {

using json::Value;

constexpr std::string_view instance_label = "app.kubernetes.io/instance";
constexpr std::string_view green_suffix = "-green";

void rename_instance(Value& labels) {
  auto& instance = labels[std::string(instance_label)];
  instance = instance_on(instance.get<std::string>(), Side::green);
}

void make_green(Value& deployment) {
  auto& metadata = deployment["metadata"];
  metadata["name"] = side_name(metadata["name"].get<std::string>(), Side::green);
  metadata["labels"][std::string(side_label)] = to_string(Side::green);
  auto& spec = deployment["spec"];
  rename_instance(spec["selector"]["matchLabels"]);
  rename_instance(spec["template"]["metadata"]["labels"]);
  auto& pod = spec["template"]["spec"];
  if (pod.contains("topologySpreadConstraints")) {
    for (auto& constraint : pod["topologySpreadConstraints"]) {
      rename_instance(constraint["labelSelector"]["matchLabels"]);
    }
  }
}

}  // namespace

std::string_view to_string(Side side) {
  return side == Side::blue ? "blue" : "green";
}

std::string side_name(std::string_view service, Side side) {
  return std::string(service) + std::string(side == Side::blue ? "" : green_suffix);
}

std::string instance_on(std::string_view project, Side side) {
  return std::string(project) + std::string(side == Side::blue ? "" : green_suffix);
}

kube::Object on_side(kube::Object object, Side side) {
  if (side == Side::blue) {
    return object;
  }
  const auto kind = object.kind();
  auto& body = object.body;
  if (kind == "Deployment") {
    make_green(body);
  } else if (kind == "Service") {
    rename_instance(body["spec"]["selector"]);
  } else if (kind == "PodDisruptionBudget") {
    rename_instance(body["spec"]["selector"]["matchLabels"]);
  } else if (kind == "HorizontalPodAutoscaler") {
    auto& name = body["spec"]["scaleTargetRef"]["name"];
    name = side_name(name.get<std::string>(), side);
  }
  return object;
}

Side live_side(const kube::Object& service) {
  const auto instance = json::Reader(service.body).at("spec", "selector", instance_label).string_or();
  return instance.ends_with(green_suffix) ? Side::green : Side::blue;
}

}  // namespace deployctl::generate
