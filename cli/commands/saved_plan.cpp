#include "cli/commands/saved_plan.hpp"

#include "cli/runtime.hpp"

namespace deployctl::cli {
namespace {

constexpr std::uint64_t largest_plan = 64u << 20u;

std::string place_of(const std::string& project, const std::string& environment, const std::string& name_space) {
  return environment.empty() ? fmt::format("{} (namespace {})", project, name_space)
                             : fmt::format("{} in {} (namespace {})", project, environment, name_space);
}

}  // namespace

base::Result<plan::SavedPlan> read_plan_file(Runtime& runtime, const std::string& path, const project::Target& target,
                                             const std::string& approved) {
  const auto text = runtime.files().read(path, largest_plan);
  if (!text) {
    return base::Error::invalid_input("cannot read the plan: {}", text.error().message);
  }
  auto saved = plan::read_saved_plan(*text, path);
  if (!saved) {
    return saved;
  }
  const auto meant = place_of(*target.project, target.environment, target.name_space);
  const auto planned = place_of(saved->project, saved->environment, saved->name_space);
  if (meant != planned) {
    return base::Error::refused("{} is a plan for {}, not for {}", path, planned, meant)
        .with_hint("choose the environment with -e");
  }
  if (const auto digest = plan::digest_of(*saved); !approved.empty() && approved != digest) {
    return base::Error::refused("the plan that is approved is {}, and {} is {}", approved, path, digest);
  }
  return saved;
}

base::Status check_saved_plan(const plan::SavedPlan& saved, const plan::Plan& now, const execute::Seen& seen) {
  if (const auto why = kube::difference(saved.cluster, seen.cluster)) {
    return base::Error::refused("the plan was made for another cluster: {}\nplanned for: {}\nthis: {}", *why,
                                kube::to_string(saved.cluster), kube::to_string(seen.cluster));
  }
  const auto made_now = plan::saved(now, seen.observation, {.services = saved.services, .rollout = true});
  if (const auto same = plan::same_intent(saved, made_now); !same) {
    return same;
  }
  const auto drifts = plan::drift(saved, made_now, seen.observation);
  return drifts.empty() ? base::Status() : base::Status(plan::to_error(drifts));
}

}  // namespace deployctl::cli
