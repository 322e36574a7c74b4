#include "core/execute/same_pods.hpp"

#include "core/execute/apply.hpp"
#include "core/execute/find.hpp"
#include "core/execute/inspect.hpp"
#include "core/generate/sides.hpp"
#include "core/kube/deployment.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::execute {
namespace {

using base::Result;

bool tries_pods(const plan::Step& step) {
  return std::holds_alternative<plan::RunCanary>(step.action) ||
         std::holds_alternative<plan::SwitchTraffic>(step.action);
}

const kube::Object* deployment_of(const std::vector<plan::Step>& steps, const std::string& service) {
  for (const auto& step : steps) {
    const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
    if (apply != nullptr && step.service == service && apply->object.kind() == "Deployment") {
      return &apply->object;
    }
  }
  return nullptr;
}

Result<bool> would_replace_pods(const kube::Object& planned, const std::string& service, const Images& images,
                                cluster::Client& client, const project::Target& target, const Ports& ports) {
  const auto filled = images.filled_in(planned);
  const auto side = live_side(client, target, service, ports.stop);
  if (!filled || !side) {
    return filled ? side.error() : filled.error();
  }
  const auto wanted = generate::on_side(*filled, *side);
  const auto live = find_object(client, wanted.key(), ports.stop);
  if (!live || !*live) {
    return live ? Result<bool>(false) : live.error();
  }
  const auto is_same = keeps_pods(client, wanted, **live, ports.stop);
  if (!is_same) {
    return is_trial_refused(is_same.error()) ? Result<bool>(true) : is_same.error();
  }
  return !*is_same;
}

}  // namespace

Result<bool> keeps_pods(cluster::Client& client, const kube::Object& wanted, const kube::Object& live,
                        std::stop_token stop) {
  const auto tried = client.apply(wanted, {.force = cluster::Force::yes,
                                           .dry_run = cluster::DryRun::yes,
                                           .known_version = live.resource_version(),
                                           .stop = std::move(stop)});
  if (!tried) {
    return tried.error();
  }
  return kube::Deployment::from_json(tried->object.body).pod_template ==
         kube::Deployment::from_json(live.body).pod_template;
}

Result<bool> has_pods_to_try(const std::vector<plan::Step>& steps, const Images& images, cluster::Client& client,
                             const project::Target& target, const Ports& ports) {
  for (const auto& step : steps) {
    const auto* planned = tries_pods(step) ? deployment_of(steps, step.service) : nullptr;
    if (planned == nullptr) {
      continue;
    }
    const auto replaces = would_replace_pods(*planned, step.service, images, client, target, ports);
    if (!replaces || *replaces) {
      return replaces;
    }
  }
  return false;
}

}  // namespace deployctl::execute
