// What somebody types on the terminal.
#pragma once

#include "core/base/result.hpp"

#include <stop_token>
#include <string>

namespace deployctl::platform {

// One line of stdin without its end; empty at the end of the input. interrupted after a request to stop.
base::Result<std::string> read_line(const std::stop_token& stop);

}  // namespace deployctl::platform
