// The SBOM of one image, wherever its blobs are: reads the configuration and every layer once.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/image.hpp"
#include "core/oci/reference.hpp"
#include "core/sbom/contents.hpp"

#include <string>

namespace deployctl::sbom {

struct ImageToList {
  oci::Reference repository;  // tag and digest are not looked at
  oci::Descriptor manifest;
  oci::Descriptor config;
  std::vector<oci::Descriptor> layers;  // lowest first
  std::string tool;                     // "deployctl-0.1.0"
  // RFC 3339: the document's time when the image does not say when it was made; empty: 1970.
  std::string fallback_time;
};

struct ImageSbom {
  std::string document;  // spdx.hpp
  std::string created;   // the document's time, RFC 3339
};

base::Result<ImageSbom> image_sbom(const ImageToList& image, const FetchBlob& fetch);

}  // namespace deployctl::sbom
