// An image with everything that belongs to it from one repository to another, byte for byte.
#pragma once

#include "core/registry/session.hpp"

#include <string>

namespace deployctl::registry {

struct CopyRoute {
  Session& from;
  Session& to;
  std::string mount_from;  // the source's repository when both are in one registry, else empty
};

// `source` and `target` are tags or digests.
base::Result<CopyResult> copy(const CopyRoute& route, const std::string& source, const std::string& target,
                              const CopyOptions& options);

}  // namespace deployctl::registry
