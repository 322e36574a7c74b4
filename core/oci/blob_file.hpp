// A blob that lies in a file, read in pieces and checked while they pass.
#pragma once

#include "core/base/result.hpp"
#include "core/oci/descriptor.hpp"
#include "core/oci/gzip.hpp"

#include <stop_token>
#include <string>

namespace deployctl::oci {

// Gives the file's bytes to the sink; an error of the sink's ends it. failed when they are not what the descriptor
// says, which may show only after all of them were given out; not_found when there is no file.
base::Status read_blob_file(const std::string& path, const Descriptor& blob, const PieceSink& sink,
                            std::stop_token stop = {});

}  // namespace deployctl::oci
