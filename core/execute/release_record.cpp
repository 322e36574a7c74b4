#include "core/execute/release_record.hpp"

#include "core/base/text.hpp"
#include "core/execute/actor.hpp"
#include "core/generate/sides.hpp"
#include "core/plan/restore.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using base::Status;

// "rollout of web": of which services, when it is not about all.
std::string action(const ReleaseRun& run) {
  const auto& whole = run.rollout.options.action;
  return run.rollout.options.is_partial ? fmt::format("{} of {}", whole, base::join(run.services(), ", ")) : whole;
}

// It has two sides no longer.
bool goes_home(const plan::Step& step) {
  const auto* change = std::get_if<plan::SwitchTraffic>(&step.action);
  return change != nullptr && change->goes_home;
}

Status add_to_record(kube::Release& record, const plan::Step& step, const Images& images) {
  if (!step.service.empty() && std::ranges::find(record.services, step.service) == record.services.end()) {
    record.services.push_back(step.service);
  }
  if (const auto* apply = std::get_if<plan::ApplyObject>(&step.action)) {
    auto object = images.filled_in(apply->object);
    if (!object) {
      return object.error();
    }
    record.objects.push_back(std::move(*object));
  } else if (const auto* secret = std::get_if<plan::ApplySecret>(&step.action)) {
    record.secrets.push_back(secret->name);
  } else if (const auto* retire = std::get_if<plan::RetireSide>(&step.action); retire != nullptr) {
    record.two_sides[step.service] = {generate::side_name(step.service, generate::Side::green), retire->keep};
  }
  return {};
}

}  // namespace

base::Result<kube::Release> make_record(ReleaseRun& run) {
  const auto& observation = run.rollout.seen.observation;
  kube::Release record{.project = run.scope.project,
                       .environment = run.scope.environment,
                       .commit = observation.commit,
                       .tag = observation.tag,
                       .actor = actor(run.ports.environment, run.ports.files),
                       .action = action(run),
                       .tool_version = run.rollout.tool_version,
                       .started = io::to_rfc3339(run.ports.clock.now()),
                       .epoch = run.lock->epoch(),
                       .secrets = run.rollout.plan.kept_secrets,
                       .depends_on = run.rollout.plan.depends_on};
  for (const auto& step : run.steps) {
    if (const auto added = add_to_record(record, step, run.rollout.images); !added) {
      return added.error();
    }
  }
  for (const auto& step : run.steps) {
    if (goes_home(step)) {
      record.two_sides.erase(step.service);
    }
  }
  for (const auto& service : record.services) {
    if (const auto image = run.rollout.images.find(service)) {
      record.images[service] = *image;
    }
  }
  if (run.live && (run.rollout.options.is_partial || !run.left_out.empty())) {
    auto live = run.read_live();
    if (!live) {
      return live.error();
    }
    if (!run.rollout.options.is_partial) {
      plan::keep_services(*live, run.left_out);
    }
    plan::carry_forward(record, *live, record.services);
  }
  return record;
}

}  // namespace deployctl::execute
