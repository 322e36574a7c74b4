// Images out of an engine: reads the tar stream that `docker save` (or `podman save`) writes and makes an OCI image of
// it in one pass, without unpacking the archive first.
//
// Two forms are understood: the one up to Docker 24 (<id>/layer.tar, <config>.json, manifest.json) and the one since
// Docker 25 (an OCI layout with a manifest.json beside it). Layers are compressed as they pass by; what was compressed
// before is taken from the store.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/byte_pipe.hpp"
#include "core/oci/image.hpp"
#include "core/oci/image_store.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::oci {

struct ImportOptions {
  enum class Format { oci, docker };
  Format format = Format::oci;                      // of the manifest; the configuration is kept as it is
  std::string name;                                 // "shop/api:v1", or "@0" by place; empty: the only image there is
  std::function<void(std::uint64_t read)> on_read;  // bytes of the archive so far
  std::stop_token stop;
};

// Every layer is checked against the configuration's diffIDs. failed for an archive that is damaged or cut short,
// not_found when no image in it has the name, or when none is given and there are several.
base::Result<StoredImage> import_docker_archive(const ByteReader& archive, ImageStore& store,
                                                const ImportOptions& options = {});

}  // namespace deployctl::oci
