#include "cli/commands/commands.hpp"
#include "cli/commands/release_run.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {

Action declare_release(CLI::App& parser) {
  auto options = std::make_shared<ReleaseOptions>();
  options->wish = {.services = {}, .build = true, .push = true, .rollout = true};
  add_services(parser, options->wish.services);
  parser.add_option("--tag", options->tag, "tag of the images (default: the commit, as git describe says it)");
  add_pull(parser, options->pull);
  add_builder(parser, options->builder);
  add_documents(parser, options->wish);
  add_timeout(parser, options->timeout);
  add_record(parser, options->record);
  add_yes(parser, options->yes);
  add_take_over(parser, options->take_over);
  return [options](Runtime& runtime) { return run_release(runtime, "release", *options); };
}

}  // namespace deployctl::cli
