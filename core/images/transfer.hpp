// An image from one place to another: between registries, layouts and archives.
#pragma once

#include "core/images/source.hpp"

#include <optional>
#include <string>

namespace deployctl::images {

struct TransferOptions {
  std::optional<oci::Platform> platform;  // only the image of an index for it; nothing: everything
  bool with_referrers = false;            // SBOMs, signatures and the like as well; between registries
};

struct Transferred {
  oci::Digest digest;  // of what is at the target now
  bool was_there = false;
  int blobs = 0;    // whose bytes were sent or written
  int mounted = 0;  // blobs that moved within their registry
  std::uint64_t bytes = 0;
};

// usage when the two places or the options do not go together.
base::Status check_transfer(const Location& from, const Location& to, const TransferOptions& options);

// Nothing that is there already is sent again.
base::Result<Transferred> transfer(const Location& from, const Location& to, const TransferOptions& options,
                                   const Ports& ports);

}  // namespace deployctl::images
