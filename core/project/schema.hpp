// The JSON Schema (draft 2020-12) of the project manifest, for editors and other tools. It is made from the same table
// as the decoder; what needs two values to be compared, or a file to be there, only the decoder can tell.
#pragma once

#include "core/json/value.hpp"

namespace deployctl::project {

json::Value schema();

}  // namespace deployctl::project
