#include "cli/commands/image/image_commands.hpp"
#include "cli/commands/image/transfer_run.hpp"
#include "cli/runtime.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

struct ImportOptions {
  std::string source;
  std::string target;
  images::TransferOptions transfer;
};

int import_image(Runtime& runtime, const ImportOptions& options) {
  const auto from = images::parse_location(options.source);
  const auto to = images::parse_location(options.target);
  if (!from || !to) {
    return runtime.fail(from ? to.error() : from.error());
  }
  if (from->kind == images::Location::Kind::registry || to->kind != images::Location::Kind::registry) {
    return runtime.fail(base::Error::usage("import goes from files to a registry")
                            .with_hint("for example: deployctl image import oci:DIR registry.example.com/team/api:v1"));
  }
  return run_transfer(runtime, "import", *from, *to, options.transfer);
}

}  // namespace

Action declare_image_import(CLI::App& parser) {
  auto options = std::make_shared<ImportOptions>();
  add_location(parser, "source", options->source,
               "oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]");
  add_location(parser, "target", options->target, "what it is to be called: registry/repository:tag");
  add_platform(parser, options->transfer.platform, "only the image of an index for this platform (default: all)");
  return [options](Runtime& runtime) { return import_image(runtime, *options); };
}

}  // namespace deployctl::cli
