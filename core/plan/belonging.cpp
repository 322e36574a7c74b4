#include "core/plan/belonging.hpp"

#include "core/base/text.hpp"
#include "core/generate/metadata.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::plan {
namespace {

// "shop", "prod of shop"
std::string owner_text(const std::string& project, const std::string& environment) {
  return base::printable(environment.empty() ? project : fmt::format("{} of {}", environment, project));
}

}  // namespace

std::string other_environment(const kube::Object& live, const project::Target& target) {
  auto environment = json::Reader(live.body).at("metadata", "labels", "deployctl.dev/environment").string_or();
  return environment == generate::label_value(target.environment) ? std::string() : environment;
}

base::Status check_belonging(const project::Target& target, const kube::Object& live) {
  const auto labels = json::Reader(live.body).at("metadata", "labels");
  if (labels.at("app.kubernetes.io/managed-by").string_or() != "deployctl") {
    return {};
  }
  const auto project = labels.at("app.kubernetes.io/part-of").string_or();
  const auto environment = labels.at("deployctl.dev/environment").string_or();
  if (project.empty() || (project == *target.project && other_environment(live, target).empty())) {
    return {};
  }
  // The pods of another project have its name among their labels, by which a Deployment selects them for good.
  const std::string_view other_way =
      project == *target.project
          ? "; 'deployctl rollout --take-over' makes it this one's, and the other one loses it"
          : "; for a project that has another name now: take the old one out of the namespace first";
  return base::Error::refused("{} in namespace {} belongs to {}, and this is {}", kube::to_string(live.key()),
                              target.name_space, owner_text(project, environment),
                              owner_text(*target.project, target.environment))
      .with_hint("give each its own 'namespace' in the project manifest{}", other_way);
}

}  // namespace deployctl::plan
