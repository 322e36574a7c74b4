#include "core/plan/plan.hpp"

#include "core/base/overloaded.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace deployctl::plan {

namespace {

// "5 %, 50 %, promote".
std::string shares_of(const project::Canary& canary) {
  std::string text;
  int before = 0;
  for (const auto& step : canary.steps) {
    if (step.weight != before) {
      text += fmt::format("{} %, ", step.weight);
    }
    if (step.waits_for_promote) {
      text += "wait for 'deployctl promote', ";
    }
    before = step.weight;
  }
  return text + "promote";
}

}  // namespace

std::string documents(const AttachDocuments& attach) {
  const std::string sbom = attach.sbom ? "SBOM" : "";
  const std::string provenance = attach.provenance ? "provenance" : "";
  return sbom + (attach.sbom && attach.provenance ? " and " : "") + provenance;
}

std::string title(const Step& step) {
  return std::visit(
      base::Overloaded{
          [&](const BuildImage&) { return fmt::format("build {}", step.service); },
          [&](const PushImage&) { return fmt::format("push {}", step.service); },
          [&](const AttachDocuments& attach) {
            return fmt::format("attach {} to {}", documents(attach), step.service);
          },
          [](const ApplyObject& apply) { return fmt::format("apply {}", kube::to_string(apply.object.key())); },
          [](const ApplySecret& apply) { return fmt::format("apply secret/{}", apply.name); },
          [&](const RunTask& run) { return fmt::format("run {} of {}", run.task, step.service); },
          [&](const SwitchTraffic&) { return fmt::format("switch {} to its new pods", step.service); },
          [&](const RetireSide&) { return fmt::format("let the old pods of {} go", step.service); },
          [&](const AwaitRollout&) { return fmt::format("watch the rollout of {}", step.service); },
          [&](const RunCanary& canary) {
            return fmt::format("canary of {}: {}", step.service, shares_of(canary.settings));
          },
          [&](const EndCanary&) { return fmt::format("remove the canary of {}", step.service); },
          [](const PruneObject& prune) { return fmt::format("delete {}", kube::to_string(prune.key)); },
      },
      step.action);
}

bool changes_routes(const Plan& plan, std::string_view service) {
  return std::ranges::any_of(plan.steps, [&](const Step& step) {
    return step.service == service &&
           (std::holds_alternative<RunCanary>(step.action) || std::holds_alternative<EndCanary>(step.action) ||
            std::holds_alternative<SwitchTraffic>(step.action) || std::holds_alternative<RetireSide>(step.action));
  });
}

std::string placeholder_for(std::string_view service) {
  return fmt::format("deployctl.invalid/{}", service);
}

}  // namespace deployctl::plan
