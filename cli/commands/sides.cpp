#include "cli/commands/sides.hpp"

#include "cli/approval.hpp"
#include "cli/commands/one_service.hpp"
#include "cli/runtime.hpp"

namespace deployctl::cli {

bool is_one_with_sides(const project::Target& target, const std::vector<std::string>& services) {
  const auto* service = services.size() == 1 ? target.find(services.front()) : nullptr;
  return service != nullptr && service->strategy.type == project::Strategy::Type::blue_green;
}

int act_on_side(Runtime& runtime, const std::string& service, bool yes, std::string_view command, ActOnSide act) {
  return with_service(runtime, service, [&](const OneService& one) -> int {
    if (const auto approved = approve(runtime, one.target, yes, command); !approved) {
      return runtime.fail(approved.error());
    }
    runtime.begin_run(command, one.target);
    return runtime.end_run(act(one.target, one.service, one.client, one.ports));
  });
}

}  // namespace deployctl::cli
