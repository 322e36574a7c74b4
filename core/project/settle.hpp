// From what was written to a Target: defaults are filled in, alternatives become one form, and values that exclude or
// need each other are compared.
#pragma once

#include "core/project/folder.hpp"
#include "core/project/written.hpp"

#include <string>

namespace deployctl::project {

// Everything of one environment; `environment` is empty for the base. The Target is only of use when nothing was
// reported as an error.
Target settle(const WrittenProject& project, const std::string& environment, Folders& folders, base::Diagnostics& out);

}  // namespace deployctl::project
