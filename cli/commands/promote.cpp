#include "core/execute/promote.hpp"

#include "cli/approval.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/release_run.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/plan/release.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

struct PromoteOptions {
  std::vector<std::string> services;
  bool fully = false;
  std::optional<base::Milliseconds> timeout;
  RecordFlags record;
  bool yes = false;
};

int promote(Runtime& runtime, const PromoteOptions& options) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto services = plan::chosen_services(*loaded.target, {.services = options.services});
  if (!services) {
    return runtime.fail(services.error());
  }
  if (const auto approved = approve(runtime, *loaded.target, options.yes, "promote"); !approved) {
    return runtime.fail(approved.error());
  }
  const auto ports = runtime.ports();
  auto client = execute::connect_cluster(*loaded.target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  if (const auto bound = execute::require_bound_cluster(*loaded.target, **client, ports); !bound) {
    return runtime.fail(bound.error());
  }
  runtime.begin_run("promote", *loaded.target);
  const auto promotion = options.fully ? execute::Promotion::fully : execute::Promotion::one_step;
  return runtime.end_run(execute::promote(*std::move(client), *loaded.target, options.services, promotion,
                                          {.rollout_deadline = deadline_for(*services, options.timeout),
                                           .tool_version = std::string(version()),
                                           .record = record_options(runtime, "promote", options.record)},
                                          ports));
}

}  // namespace

Action declare_promote(CLI::App& parser) {
  auto options = std::make_shared<PromoteOptions>();
  add_services(parser, options->services);
  parser.add_flag("--full", options->fully, "canary: take none of the steps that are left");
  add_timeout(parser, options->timeout);
  add_on_failure(parser, options->record.on_failure);
  add_on_interrupt(parser, options->record.on_interrupt);
  add_lock_timeout(parser, options->record.lock_timeout);
  add_yes(parser, options->yes);
  return [options](Runtime& runtime) { return promote(runtime, *options); };
}

}  // namespace deployctl::cli
