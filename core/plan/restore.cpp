#include "core/plan/restore.hpp"

#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <map>

namespace deployctl::plan {
namespace {

bool is_workload(const kube::Object& object) {
  return object.kind() == "Deployment" || object.kind() == "StatefulSet";
}

bool is_needed_by_pods(const kube::Object& object) {
  const auto phase = kube::apply_phase(object.kind());
  return phase < kube::ApplyPhase::workload;
}

std::string apply_id(const kube::Object& object) {
  return "apply:" + kube::to_string(object.key());
}

// Whether a text that is exactly `name` stands anywhere in the value.
bool mentions(const json::Value& value, const std::string& name) {
  if (value.is_string()) {
    return value.get_ref<const std::string&>() == name;
  }
  return std::ranges::any_of(value, [&](const json::Value& member) {
    return (member.is_structured() || member.is_string()) && mentions(member, name);
  });
}

bool is_used(const std::string& secret, const std::vector<kube::Object>& objects) {
  return std::ranges::any_of(objects, [&](const kube::Object& object) { return mentions(object.body, secret); });
}

}  // namespace

namespace {

// What follows the verdict on a service with two sides.
void add_switch(Plan& plan, const std::string& service, const kube::Release& release) {
  const auto sides = release.two_sides.find(service);
  if (sides == release.two_sides.end()) {
    return;
  }
  plan.steps.push_back({.id = "switch:" + service,
                        .service = service,
                        .action = SwitchTraffic{},
                        .after = {"rollout:" + service},
                        .phase = Phase::cluster,
                        .after_failure = AfterFailure::is_done});
  plan.steps.push_back({.id = "retire:" + service,
                        .service = service,
                        .action = RetireSide{sides->second.keep},
                        .after = {"switch:" + service},
                        .phase = Phase::cluster,
                        .after_failure = AfterFailure::is_done});
}

}  // namespace

std::string service_of(const kube::Object& object) {
  return json::Reader(object.body).at("metadata", "labels", "app.kubernetes.io/name").string_or();
}

Plan restore(const kube::Release& release, const kube::LedgerScope& scope) {
  Plan plan{.project = scope.project,
            .environment = scope.environment,
            .name_space = scope.name_space,
            .steps = {},
            .kept_secrets = release.secrets};
  auto objects = release.objects;
  kube::sort_for_apply(objects);
  std::map<std::string, std::vector<std::string>> before_pods;  // service -> ids
  for (auto& object : objects) {
    const auto service = service_of(object);
    const auto id = apply_id(object);
    Step step{.id = id, .service = service, .action = ApplyObject{object}, .after = {}, .phase = Phase::cluster};
    if (is_needed_by_pods(object)) {
      before_pods[service].push_back(id);
    } else if (is_workload(object) || !release.two_sides.contains(service)) {
      step.after = before_pods[service];
    } else {
      step.after = {"switch:" + service};  // it belongs to the side that is live then
    }
    plan.steps.push_back(std::move(step));
    if (is_workload(object)) {
      plan.steps.push_back({.id = "rollout:" + service,
                            .service = service,
                            .action = AwaitRollout{},
                            .after = {id},
                            .phase = Phase::cluster,
                            .after_failure = AfterFailure::is_done});
      add_switch(plan, service, release);
    }
  }
  return plan;
}

void keep_services(kube::Release& release, const std::vector<std::string>& services) {
  const auto is_other = [&](const std::string& service) {
    return std::ranges::find(services, service) == services.end();
  };
  std::erase_if(release.objects, [&](const kube::Object& object) { return is_other(service_of(object)); });
  std::erase_if(release.images, [&](const auto& image) { return is_other(image.first); });
  std::erase_if(release.services, is_other);
  std::erase_if(release.two_sides, [&](const auto& sides) { return is_other(sides.first); });
  std::erase_if(release.secrets, [&](const std::string& secret) { return !is_used(secret, release.objects); });
}

void carry_forward(kube::Release& record, const kube::Release& live, const std::vector<std::string>& touched) {
  const auto is_left_alone = [&](const std::string& service) {
    return std::ranges::find(touched, service) == touched.end();
  };
  std::vector<kube::Object> carried;
  std::ranges::copy_if(live.objects, std::back_inserter(carried),
                       [&](const kube::Object& object) { return is_left_alone(service_of(object)); });
  for (const auto& [service, image] : live.images) {
    if (is_left_alone(service)) {
      record.images.emplace(service, image);
    }
  }
  for (const auto& [service, sides] : live.two_sides) {
    if (is_left_alone(service)) {
      record.two_sides.emplace(service, sides);
    }
  }
  for (const auto& secret : live.secrets) {
    const bool is_new = std::ranges::find(record.secrets, secret) == record.secrets.end();
    if (is_new && is_used(secret, carried)) {
      record.secrets.push_back(secret);
    }
  }
  record.objects.insert(record.objects.end(), carried.begin(), carried.end());
}

}  // namespace deployctl::plan
