// An OCI image layout in a tar archive (skopeo's "oci-archive:"): its blobs taken into the store in one pass.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/byte_pipe.hpp"
#include "core/oci/image.hpp"
#include "core/oci/image_store.hpp"

#include <stop_token>

namespace deployctl::oci {

// The archive's index.json. Every blob of it is in the store then, checked against its name. failed for an archive that
// is damaged, cut short or no layout.
base::Result<ImageIndex> import_oci_archive(const ByteReader& archive, ImageStore& store, std::stop_token stop = {});

}  // namespace deployctl::oci
