// An archive in a file, compressed or not, read as plain bytes: what `docker save | gzip` wrote too.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/byte_pipe.hpp"

#include <string>

namespace deployctl::oci {

// not_found when there is no such file.
base::Result<ByteReader> open_archive_file(const std::string& path);

}  // namespace deployctl::oci
