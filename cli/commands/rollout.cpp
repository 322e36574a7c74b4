#include "cli/commands/commands.hpp"
#include "cli/commands/release_run.hpp"
#include "cli/options/common.hpp"
#include "cli/runtime.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {

Action declare_rollout(CLI::App& parser) {
  auto options = std::make_shared<ReleaseOptions>();
  options->wish.rollout = true;
  add_services(parser, options->wish.services);
  parser.add_option("--tag", options->tag, "tag of the pushed images (default: the commit, as git describe says it)");
  add_images(parser, options->images);
  add_pull(parser, options->pull);
  add_timeout(parser, options->timeout);
  add_record(parser, options->record);
  add_yes(parser, options->yes);
  add_take_over(parser, options->take_over);
  parser.add_option("--plan", options->plan_file, "carry out a plan that 'plan --out' saved, exactly or not at all")
      ->type_name("FILE")
      ->excludes("--tag")
      ->excludes("--image")
      ->excludes("--pull");
  parser.add_option("--approve", options->approved, "approve the saved plan with this digest, and no other")
      ->type_name("sha256:…")
      ->needs("--plan");
  return [options](Runtime& runtime) { return run_release(runtime, "rollout", *options); };
}

}  // namespace deployctl::cli
