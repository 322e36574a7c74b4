#include "cli/approval.hpp"
#include "cli/commands/commands.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "core/execute/change.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/plan/release.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

struct RestartOptions {
  std::vector<std::string> services;
  std::optional<base::Milliseconds> timeout;
  base::Milliseconds lock_timeout{600'000};
  bool yes = false;
};

int restart(Runtime& runtime, const RestartOptions& options) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto services = plan::chosen_services(*loaded.target, {.services = options.services});
  if (!services) {
    return runtime.fail(services.error());
  }
  if (const auto approved = approve(runtime, *loaded.target, options.yes, "restart"); !approved) {
    return runtime.fail(approved.error());
  }
  const auto ports = runtime.ports();
  const auto client = execute::connect_cluster(*loaded.target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  if (const auto bound = execute::require_bound_cluster(*loaded.target, **client, ports); !bound) {
    return runtime.fail(bound.error());
  }
  runtime.begin_run("restart", *loaded.target);
  return runtime.end_run(execute::restart_services(
      **client, *loaded.target, *services,
      {.deadline = deadline_for(*services, options.timeout), .lock_timeout = options.lock_timeout}, ports));
}

}  // namespace

Action declare_restart(CLI::App& parser) {
  auto options = std::make_shared<RestartOptions>();
  add_services(parser, options->services);
  add_timeout(parser, options->timeout);
  add_lock_timeout(parser, options->lock_timeout);
  add_yes(parser, options->yes);
  return [options](Runtime& runtime) { return restart(runtime, *options); };
}

}  // namespace deployctl::cli
