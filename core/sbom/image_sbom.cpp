#include "core/sbom/image_sbom.hpp"

#include "core/io/clock.hpp"
#include "core/sbom/spdx.hpp"

namespace deployctl::sbom {
namespace {

base::Result<oci::ImageConfig> read_config(const oci::Descriptor& config, const FetchBlob& fetch) {
  std::string bytes;
  const auto fetched = fetch(config, [&](std::string_view piece) -> base::Status {
    if (bytes.size() + piece.size() > oci::longest_config) {
      return base::Error::failed("the image configuration is too long");
    }
    bytes += piece;
    return {};
  });
  return fetched ? oci::parse_config(bytes) : fetched.error();
}

// Whole seconds in UTC, as SPDX wants it.
std::string document_time(const std::string& created, const std::string& fallback) {
  for (const auto& text : {created, fallback}) {
    if (const auto time = io::parse_rfc3339(text)) {
      return io::to_rfc3339(*time);
    }
  }
  return io::to_rfc3339({});
}

}  // namespace

base::Result<ImageSbom> image_sbom(const ImageToList& image, const FetchBlob& fetch) {
  const auto config = read_config(image.config, fetch);
  if (!config) {
    return config.error().within("reading the image configuration");
  }
  const auto contents = read_contents(image.layers, fetch);
  if (!contents) {
    return contents.error();
  }
  auto created = document_time(config->created, image.fallback_time);
  auto document = spdx_document(*contents, {.repository = image.repository,
                                            .digest = image.manifest.digest,
                                            .platform = config->platform,
                                            .created = created,
                                            .tool = image.tool});
  return ImageSbom{.document = std::move(document), .created = std::move(created)};
}

}  // namespace deployctl::sbom
