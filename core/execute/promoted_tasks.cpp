#include "core/execute/promoted_tasks.hpp"

#include "core/execute/used_secret.hpp"
#include "core/generate/inputs.hpp"
#include "core/kube/field_diff.hpp"
#include "core/plan/release.hpp"
#include "core/plan/restore.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace deployctl::execute {
namespace {

using When = project::Task::When;

const kube::Object* find_deployment(const std::vector<kube::Object>& objects, const std::string& service) {
  const auto found = std::ranges::find_if(objects, [&](const kube::Object& object) {
    return object.kind() == "Deployment" && plan::service_of(object) == service;
  });
  return found == objects.end() ? nullptr : &*found;
}

// As it was when the release was made: its pods have the same image, configuration and Secrets.
plan::Observation seen_by(const kube::Release& release, const project::Service& service, const kube::Object& deployment,
                          generate::Inputs inputs) {
  plan::Observation seen{.tag = release.tag, .commit = release.commit, .inputs = std::move(inputs)};
  seen.images = release.images;
  if (auto secret = used_secret(service, deployment); !secret.empty()) {
    seen.secret_names[*service.name] = std::move(secret);
  }
  return seen;
}

bool makes_the_same_pods(const project::Target& target, const project::Service& service, const kube::Object& released,
                         const plan::Observation& seen) {
  const auto objects = plan::desired_objects(target, service, seen);
  const auto* deployment = objects ? find_deployment(*objects, *service.name) : nullptr;
  const kube::FieldPath path{"spec", "template"};
  const auto* pods = deployment == nullptr ? nullptr : kube::find_value(deployment->body, path);
  const auto* before = kube::find_value(released.body, path);
  return pods != nullptr && before != nullptr && *pods == *before;
}

// Nothing for a service that is another one now.
std::optional<plan::ServiceTasks> tasks_of_service(const project::Target& target, const project::Service& service,
                                                   const kube::Release& release, const generate::Inputs& inputs) {
  const auto* deployment = find_deployment(release.objects, *service.name);
  if (deployment == nullptr) {
    return std::nullopt;
  }
  const auto seen = seen_by(release, service, *deployment, inputs);
  const auto before = plan::desired_tasks(target, service, When::before_rollout, seen);
  const auto after = plan::desired_tasks(target, service, When::after_rollout, seen);
  if (!before || !after || !makes_the_same_pods(target, service, *deployment, seen)) {
    return std::nullopt;
  }
  plan::ServiceTasks tasks{.before = *before, .after = {}, .contracts = {}};
  for (const auto& task : *after) {
    (task.is_contract ? tasks.contracts : tasks.after).push_back(task);
  }
  return tasks;
}

}  // namespace

PromotedTasks tasks_of(const project::Target& target, const kube::Release& release, const Ports& ports) {
  PromotedTasks tasks;
  const auto inputs = generate::read_inputs(target, ports.files);
  for (const auto& service : target.services) {
    const bool is_released = std::ranges::find(release.services, *service.name) != release.services.end();
    if (service.tasks.empty() || !is_released) {
      continue;
    }
    auto known = inputs ? tasks_of_service(target, service, release, *inputs) : std::nullopt;
    if (known) {
      tasks.by_service.emplace(*service.name, std::move(*known));
    } else {
      tasks.unknown.push_back(*service.name);
    }
  }
  return tasks;
}

}  // namespace deployctl::execute
