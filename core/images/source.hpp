// An image that can be read, wherever it is: its documents and its blobs.
#pragma once

#include "core/base/result.hpp"
#include "core/images/location.hpp"
#include "core/oci/gzip.hpp"
#include "core/oci/image.hpp"
#include "core/oci/image_store.hpp"
#include "core/registry/client.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::images {

// How far reading or sending is. Called from any thread, one call at a time.
using OnProgress = std::function<void(const registry::Progress&)>;

// What images are read from and written to.
struct Ports {
  registry::Client& registry;
  oci::ImageStore& store;  // the user's cache: archives are taken apart into it
  OnProgress on_progress = {};
  std::stop_token stop = {};
};

// A manifest or an index, exact bytes.
struct Document {
  std::string bytes;
  oci::Descriptor descriptor;
};

class Source {
 public:
  virtual ~Source() = default;

  // What the location names: an index or a single image.
  [[nodiscard]] virtual const Document& root() const = 0;
  // A manifest that an index lists, checked against its descriptor.
  virtual base::Result<Document> document(const oci::Descriptor& descriptor) = 0;
  // A blob's bytes, checked while they pass: what was given out counts only when this returns success.
  virtual base::Status blob(const oci::Descriptor& descriptor, const oci::PieceSink& sink) = 0;
  // Artifacts that refer to it: SBOMs, provenance, signatures; none where that cannot be known.
  virtual base::Result<std::vector<oci::Descriptor>> referrers(const oci::Digest& subject) = 0;
  // How many may read blobs at once, from threads of their own.
  [[nodiscard]] virtual int readers() const { return 1; }
  // The directory with sha256/<hex> where all of it lies; empty when it lies elsewhere.
  [[nodiscard]] virtual std::string blobs() const = 0;
};

// Finds the image. not_found when it is not there. The ports must outlive the source.
base::Result<std::unique_ptr<Source>> open_source(const Location& location, const Ports& ports);

// The bytes of a small blob, such as an image configuration.
base::Result<std::string> read_blob(Source& source, const oci::Descriptor& descriptor, std::size_t limit);

}  // namespace deployctl::images
