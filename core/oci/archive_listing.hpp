// manifest.json of an engine's archive: which images it holds and what they are called.
#pragma once

#include "core/base/result.hpp"
#include "core/json/reader.hpp"

#include <string>

namespace deployctl::oci {

// The entry of the image that is `wanted` by one of its names or by its place ("@1", as in skopeo); empty: the only
// one there is. not_found, naming what there is, when there is no such image or more than one to choose from.
base::Result<json::Reader> choose_image(const json::Reader& listed, const std::string& wanted);

}  // namespace deployctl::oci
