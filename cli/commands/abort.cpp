#include "cli/commands/commands.hpp"
#include "cli/commands/sides.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/promote.hpp"
#include "core/execute/sides.hpp"
#include "core/plan/release.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

struct AbortFlags {
  execute::AbortOptions abort;
  bool yes = false;
};

int abort(Runtime& runtime, const AbortFlags& flags) {
  const auto& options = flags.abort;
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  if (const auto services = plan::chosen_services(*loaded.target, {.services = options.services}); !services) {
    return runtime.fail(services.error());
  }
  if (is_one_with_sides(*loaded.target, options.services)) {
    return act_on_side(runtime, options.services.front(), flags.yes, "abort", execute::abort_side);
  }
  const auto ports = runtime.ports();
  const auto client = execute::connect_cluster(*loaded.target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  runtime.begin_run("abort", *loaded.target);
  return runtime.end_run(execute::abort_release(**client, *loaded.target, options, ports));
}

}  // namespace

Action declare_abort(CLI::App& parser) {
  auto options = std::make_shared<AbortFlags>();
  add_services(parser, options->abort.services);
  add_lock_timeout(parser, options->abort.lock_timeout);
  add_yes(parser, options->yes);
  return [options](Runtime& runtime) { return abort(runtime, *options); };
}

}  // namespace deployctl::cli
