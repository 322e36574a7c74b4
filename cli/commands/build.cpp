#include "cli/commands/commands.hpp"
#include "cli/commands/release_run.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {

Action declare_build(CLI::App& parser) {
  auto options = std::make_shared<ReleaseOptions>();
  options->wish.build = true;
  add_services(parser, options->wish.services);
  parser.add_option("--tag", options->tag, "tag of the images (default: the commit, as git describe says it)");
  add_builder(parser, options->builder);
  parser.add_flag("--push", options->wish.push, "push what was built");
  add_documents(parser, options->wish);
  return [options](Runtime& runtime) { return run_release(runtime, "build", *options); };
}

}  // namespace deployctl::cli
