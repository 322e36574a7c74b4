#include "cli/approval.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/one_service.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "core/execute/change.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

struct UndoOptions {
  std::string service;
  std::optional<long long> to;
  std::optional<base::Milliseconds> timeout;
  bool yes = false;
};

}  // namespace

Action declare_undo(CLI::App& parser) {
  auto options = std::make_shared<UndoOptions>();
  add_service(parser, options->service);
  parser.add_option("--to", options->to, "revision to go back to (default: the one before the live one)")
      ->type_name("N");
  add_timeout(parser, options->timeout);
  add_yes(parser, options->yes);
  return [options](Runtime& runtime) {
    return with_service(runtime, options->service, [&](const OneService& one) -> int {
      if (const auto approved = approve(runtime, one.target, options->yes, "undo"); !approved) {
        return runtime.fail(approved.error());
      }
      runtime.begin_run("undo", one.target);
      return runtime.end_run(execute::undo_rollout(one.client, one.target, one.service, options->to,
                                                   deadline_for({&one.service}, options->timeout), one.ports));
    });
  };
}

}  // namespace deployctl::cli
