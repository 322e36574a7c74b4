// Who runs this, for records and locks.
#pragma once

#include "core/io/environment.hpp"
#include "core/io/file_system.hpp"

#include <string>

namespace deployctl::execute {

// In a GitHub or GitLab job its user and the job: "ada (github run 4711)"; else "ada@laptop". Never empty.
std::string actor(const io::Environment& environment, const io::FileSystem& files);

}  // namespace deployctl::execute
