// docs/project-manifest.md: the reference of every key, made from the same table as the decoder.
#pragma once

#include <string>

namespace deployctl::project {

std::string reference_page();

}  // namespace deployctl::project
