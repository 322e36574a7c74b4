#include "core/execute/undo.hpp"

#include "cli/approval.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/release_run.hpp"
#include "cli/options/common.hpp"
#include "cli/options/values.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/base/text.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/inspect.hpp"
#include "core/execute/release_run.hpp"
#include "core/plan/release.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <string>

namespace deployctl::cli {
namespace {

struct UndoOptions {
  execute::UndoWish wish;
  std::optional<base::Milliseconds> timeout;
  RecordFlags record;
  bool yes = false;
};

std::string in_words(const execute::UndoWish& wish, const kube::Release& release) {
  return fmt::format("undo{} to release {}{}", wish.services.empty() ? "" : " of " + base::join(wish.services, ", "),
                     release.number, execute::brief_commit(release.commit));
}

int undo(Runtime& runtime, const UndoOptions& options) {
  const auto loaded = runtime.load_target();
  if (!loaded.target) {
    return loaded.failure;
  }
  const auto services = plan::chosen_services(*loaded.target, {.services = options.wish.services});
  if (!services) {
    return runtime.fail(services.error());
  }
  const auto ports = runtime.ports();
  auto client = execute::connect_cluster(*loaded.target, ports);
  if (!client) {
    return runtime.fail(client.error());
  }
  if (const auto bound = execute::require_bound_cluster(*loaded.target, **client, ports); !bound) {
    return runtime.fail(bound.error());
  }
  const auto release = execute::release_to_go_back_to(**client, *loaded.target, options.wish, ports);
  if (!release) {
    return runtime.fail(release.error());
  }
  if (const auto approved = approve(runtime, *loaded.target, options.yes, in_words(options.wish, *release));
      !approved) {
    return runtime.fail(approved.error());
  }
  runtime.begin_run("undo", *loaded.target);
  return runtime.end_run(execute::undo(*std::move(client), *loaded.target, options.wish, *release,
                                       {.rollout_deadline = deadline_for(*services, options.timeout),
                                        .tool_version = std::string(version()),
                                        .record = record_options(runtime, "undo", options.record)},
                                       ports));
}

}  // namespace

Action declare_undo(CLI::App& parser) {
  auto options = std::make_shared<UndoOptions>();
  parser.add_option("service", options->wish.services, "services to take back (default: the whole release)")
      ->type_name("NAME");
  add_number(parser, "--to", options->wish.to, 1,
             "release to go back to (default: the one before the live one, or the live one when a release after it has "
             "failed)");
  parser.add_flag_callback(
      "--allow-incompatible", [options] { options->wish.incompatible = execute::Incompatible::allowed; },
      "go back behind a task with 'compatible: contract', which that release is declared not to work with");
  add_timeout(parser, options->timeout);
  add_on_failure(parser, options->record.on_failure);
  add_on_interrupt(parser, options->record.on_interrupt);
  add_lock_timeout(parser, options->record.lock_timeout);
  add_yes(parser, options->yes);
  return [options](Runtime& runtime) { return undo(runtime, *options); };
}

}  // namespace deployctl::cli
