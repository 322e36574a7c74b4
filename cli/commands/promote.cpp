// What becomes of a new version that waits beside the old one: all requests, or an end.
#include "cli/approval.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/one_service.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"
#include "core/execute/sides.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>

namespace deployctl::cli {
namespace {

struct SideOptions {
  std::string service;
  bool yes = false;
};

using ActOnSide = base::Status (*)(const project::Target&, const project::Service&, cluster::Client&,
                                   const execute::Ports&);

int act(Runtime& runtime, const SideOptions& options, std::string_view command, ActOnSide act_on_side) {
  return with_service(runtime, options.service, [&](const OneService& one) -> int {
    if (one.service.strategy.type != project::Strategy::Type::blue_green) {
      return runtime.fail(
          base::Error::usage("nothing of {} waits to be promoted", options.service)
              .with_hint("'strategy: {{type: blue-green, promote: manual}}' makes the new version wait"));
    }
    if (const auto approved = approve(runtime, one.target, options.yes, command); !approved) {
      return runtime.fail(approved.error());
    }
    runtime.begin_run(command, one.target);
    return runtime.end_run(act_on_side(one.target, one.service, one.client, one.ports));
  });
}

Action declare(CLI::App& parser, std::string_view command, ActOnSide act_on_side) {
  auto options = std::make_shared<SideOptions>();
  add_service(parser, options->service);
  add_yes(parser, options->yes);
  return [=](Runtime& runtime) { return act(runtime, *options, command, act_on_side); };
}

}  // namespace

Action declare_promote(CLI::App& parser) {
  return declare(parser, "promote", execute::promote_side);
}

Action declare_abort(CLI::App& parser) {
  return declare(parser, "abort", execute::abort_side);
}

}  // namespace deployctl::cli
