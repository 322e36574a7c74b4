#include "cli/commands/image/image_commands.hpp"
#include "cli/commands/image/transfer_run.hpp"
#include "cli/runtime.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

struct CopyOptions {
  std::string from;
  std::string to;
  images::TransferOptions transfer;
};

int copy(Runtime& runtime, const CopyOptions& options) {
  const auto from = images::parse_location(options.from);
  const auto to = images::parse_location(options.to);
  if (!from || !to) {
    return runtime.fail(from ? to.error() : from.error());
  }
  return run_transfer(runtime, "copy", *from, *to, options.transfer);
}

}  // namespace

Action declare_image_copy(CLI::App& parser) {
  auto options = std::make_shared<CopyOptions>();
  add_location(parser, "from", options->from, "the image: registry/repository:tag, oci:DIR, docker-archive:FILE");
  add_location(parser, "to", options->to, "where it goes, in the same forms");
  add_platform(parser, options->transfer.platform, "only the image of an index for this platform (default: all)");
  parser.add_flag("--with-referrers", options->transfer.with_referrers,
                  "SBOMs, provenance and signatures as well (between registries)");
  return [options](Runtime& runtime) { return copy(runtime, *options); };
}

}  // namespace deployctl::cli
