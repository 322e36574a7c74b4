#include "core/execute/running.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"
#include "core/plan/belonging.hpp"
#include "core/plan/restore.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace deployctl::execute {
namespace {

std::string selector_of(const std::vector<std::string>& services) {
  return "app.kubernetes.io/name in (" + base::join(services, ",") + ")";
}

}  // namespace

std::string running_image(const std::string& service, const kube::Object& deployment) {
  for (const auto& container : json::Reader(deployment.body).at("spec", "template", "spec", "containers").elements()) {
    if (container.at("name").string_or() == service) {
      return container.at("image").string_or();
    }
  }
  return {};
}

base::Result<Running> read_running(const std::vector<std::string>& services, cluster::Client& client,
                                   const std::string& name_space, std::stop_token stop) {
  auto listed = client.list(
      {.resource = kube::resource_of("Deployment"), .name_space = name_space, .label_selector = selector_of(services)},
      stop);
  if (!listed) {
    return listed.error().within("looking for what runs");
  }
  Running running;
  for (auto& deployment : listed->items) {
    const auto labels = json::Reader(deployment.body).at("metadata", "labels");
    if (labels.at(generate::side_label).string_or() == to_string(generate::Side::green)) {
      auto service = labels.at("app.kubernetes.io/name").string_or();
      running.green.emplace(std::move(service), std::move(deployment));
    } else if (std::ranges::find(services, deployment.name()) != services.end()) {
      running.deployments.emplace(deployment.name(), std::move(deployment));
    }
  }
  return running;
}

const kube::Object* live_deployment(const std::string& service, const std::map<std::string, kube::Object>& deployments,
                                    const std::map<std::string, kube::Object>& green,
                                    const std::map<std::string, generate::Side>& sides) {
  const auto side = sides.find(service);
  const bool is_green = side != sides.end() && side->second == generate::Side::green;
  const auto& all = is_green ? green : deployments;
  const auto live = all.find(service);
  return live == all.end() ? nullptr : &live->second;
}

void keep_scaled(kube::Release& release, const Running& running, const std::map<std::string, generate::Side>& sides) {
  std::set<std::string> scaled;
  for (const auto& object : release.objects) {
    if (object.kind() == "HorizontalPodAutoscaler") {
      scaled.insert(plan::service_of(object));
    }
  }
  for (auto& object : release.objects) {
    const auto service = plan::service_of(object);
    if (object.kind() != "Deployment" || !scaled.contains(service)) {
      continue;
    }
    const auto* live = live_deployment(service, running.deployments, running.green, sides);
    const auto pods = live == nullptr ? 0 : json::Reader(live->body).at("spec", "replicas").integer_or();
    if (pods > 0) {
      object.body["spec"]["replicas"] = pods;
    }
  }
}

base::Status check_belonging(const Running& running, const project::Target& target) {
  for (const auto* sides : {&running.deployments, &running.green}) {
    for (const auto& [service, deployment] : *sides) {
      if (const auto ours = plan::check_belonging(target, deployment); !ours) {
        return ours;
      }
    }
  }
  return {};
}

}  // namespace deployctl::execute
