#include "cli/commands/image/image_commands.hpp"
#include "cli/commands/image/transfer_run.hpp"
#include "cli/runtime.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace deployctl::cli {
namespace {

struct ExportOptions {
  std::string image;
  std::string target;
  images::TransferOptions transfer;
};

int export_image(Runtime& runtime, const ExportOptions& options) {
  const auto from = images::parse_location(options.image);
  const auto to = images::parse_location(options.target);
  if (!from || !to) {
    return runtime.fail(from ? to.error() : from.error());
  }
  if (to->kind == images::Location::Kind::registry) {
    return runtime.fail(base::Error::usage("'{}' is no file or folder to export to", options.target)
                            .with_hint("write oci:DIR, oci-archive:FILE or docker-archive:FILE; 'deployctl image copy' "
                                       "goes to a registry"));
  }
  return run_transfer(runtime, "export", *from, *to, options.transfer);
}

}  // namespace

Action declare_image_export(CLI::App& parser) {
  auto options = std::make_shared<ExportOptions>();
  add_location(parser, "image", options->image, "the image: registry/repository:tag, oci:DIR, docker-archive:FILE");
  add_location(parser, "target", options->target,
               "oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]");
  add_platform(parser, options->transfer.platform,
               "only the image of an index for this platform (default: all; this machine's for docker-archive)");
  return [options](Runtime& runtime) { return export_image(runtime, *options); };
}

}  // namespace deployctl::cli
