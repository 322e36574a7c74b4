#include "cli/commands/one_service.hpp"

#include "cli/runtime.hpp"
#include "core/execute/inspect.hpp"
#include "core/plan/release.hpp"

namespace deployctl::cli {

int with_service(Runtime& runtime, const std::string& name, const std::function<int(const OneService&)>& act) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto chosen = plan::chosen_services(*loaded.target, {.services = {name}});
  if (!chosen) {
    return runtime.fail(chosen.error());
  }
  const auto ports = runtime.ports();
  const auto client = execute::connect_cluster(*loaded.target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  return act({*loaded.target, *chosen->front(), **client, ports});
}

}  // namespace deployctl::cli
