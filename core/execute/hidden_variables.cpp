#include "core/execute/hidden_variables.hpp"

#include "core/base/text.hpp"

namespace deployctl::execute {

base::Error hidden_variables_error(const kube::Object& workload, const std::vector<kube::HiddenVariable>& hidden) {
  std::vector<std::string> whose;
  std::string undone;
  for (const auto& each : hidden) {
    const auto owner = each.manager ? fmt::format("belongs to {} since {}", each.manager->name, each.manager->time)
                                    : std::string("has been added");
    whose.push_back(base::printable(fmt::format("{} of container {} {}", each.name, each.container, owner)));
    undone += " " + each.name + "-";
  }
  const auto name = kube::to_string(workload.key());
  return base::Error::make(base::ErrorCode::conflict,
                           "{} has variables that others set, and they hide those of the project manifest: {}", name,
                           base::join(whose, "; "))
      .with_hint("take them over with --take-over, or take them out: kubectl set env {} -n {}{}", name,
                 workload.name_space(), undone);
}

}  // namespace deployctl::execute
