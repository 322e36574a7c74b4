#include "cli/commands/image/image_commands.hpp"
#include "cli/runtime.hpp"
#include "cli/version.hpp"
#include "core/base/text.hpp"
#include "core/execute/native_steps.hpp"
#include "core/images/image_set.hpp"
#include "core/sbom/image_sbom.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>

namespace deployctl::cli {
namespace {

struct SbomOptions {
  std::string image;
  std::optional<oci::Platform> platform;
};

// What the document calls an image that lies in a folder or an archive: there is no registry to name.
oci::Reference repository_of(const images::Location& location) {
  if (location.kind == images::Location::Kind::registry) {
    return location.reference;
  }
  const auto name = base::to_lower(io::file_name(location.path));
  const bool is_usable = oci::why_not_repository(name).empty();
  return {.registry = "localhost", .repository = is_usable ? name : "image", .tag = {}, .digest = {}};
}

base::Result<std::string> read_sbom(images::Source& source, const images::Location& location,
                                    const SbomOptions& options, std::int64_t source_date) {
  const auto set = images::read_images(source, images::Attestations::skipped, images::Wanted::those_there);
  if (!set) {
    return set.error();
  }
  const auto chosen = images::choose_image(*set, options.platform);
  if (!chosen) {
    return chosen.error();
  }
  const auto& image = **chosen;
  const auto listed = sbom::image_sbom(
      {.repository = repository_of(location),
       .manifest = image.document.descriptor,
       .config = image.manifest.config,
       .layers = image.manifest.layers,
       .tool = fmt::format("deployctl-{}", version()),
       .fallback_time = io::to_rfc3339(io::WallTime(std::chrono::seconds(source_date)))},
      [&](const oci::Descriptor& blob, const oci::PieceSink& sink) { return source.blob(blob, sink); });
  return listed ? base::Result<std::string>(listed->document) : listed.error();
}

int print_sbom(Runtime& runtime, const SbomOptions& options) {
  const auto location = images::parse_location(options.image);
  if (!location) {
    return runtime.fail(location.error());
  }
  ImageAccess access(runtime);
  const auto ports = access.images("sbom");
  const auto source = images::open_source(*location, ports);
  if (!source) {
    return runtime.fail(source.error());
  }
  const auto source_date = execute::source_date(access.ports().environment);
  if (!source_date) {
    return runtime.fail(source_date.error());
  }
  const auto document = read_sbom(**source, *location, options, source_date->value_or(0));
  if (!document) {
    return runtime.fail(document.error().within("looking into {}", options.image));
  }
  runtime.print(*document + "\n");
  return 0;
}

}  // namespace

Action declare_image_sbom(CLI::App& parser) {
  auto options = std::make_shared<SbomOptions>();
  add_location(parser, "image", options->image, "the image: registry/repository:tag, oci:DIR, docker-archive:FILE");
  add_platform(parser, options->platform, "which image of an index (default: this machine's)");
  return [options](Runtime& runtime) { return print_sbom(runtime, *options); };
}

}  // namespace deployctl::cli
