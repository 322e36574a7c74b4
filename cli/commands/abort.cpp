#include "core/execute/abort.hpp"

#include "cli/commands/commands.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/plan/release.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

int abort(Runtime& runtime, const execute::AbortOptions& options) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  if (const auto services = plan::chosen_services(*loaded.target, {.services = options.services}); !services) {
    return runtime.fail(services.error());
  }
  const auto ports = runtime.ports();
  const auto client = execute::connect_cluster(*loaded.target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  if (const auto bound = execute::require_bound_cluster(*loaded.target, **client, ports); !bound) {
    return runtime.fail(bound.error());
  }
  runtime.begin_run("abort", *loaded.target);
  return runtime.end_run(execute::abort_release(**client, *loaded.target, options, ports));
}

}  // namespace

Action declare_abort(CLI::App& parser) {
  auto options = std::make_shared<execute::AbortOptions>();
  add_services(parser, options->services);
  add_lock_timeout(parser, options->lock_timeout);
  return [options](Runtime& runtime) { return abort(runtime, *options); };
}

}  // namespace deployctl::cli
