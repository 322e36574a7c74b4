#include "core/plan/plan.hpp"

#include "core/base/overloaded.hpp"

#include <fmt/core.h>

namespace deployctl::plan {

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
          [](const PruneObject& prune) { return fmt::format("delete {}", kube::to_string(prune.key)); },
      },
      step.action);
}

std::string placeholder_for(std::string_view service) {
  return fmt::format("deployctl.invalid/{}", service);
}

}  // namespace deployctl::plan
