// The version of the program, as --version prints it.
#pragma once

#include <string>
#include <string_view>

namespace deployctl::cli {

std::string_view version();       // "0.1.0"
std::string_view build_commit();  // the commit it was built from, "" when that was not known
std::string version_line();       // "deployctl 0.1.0 (1a2b3c4)"

}  // namespace deployctl::cli
