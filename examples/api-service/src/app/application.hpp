// The service put together: what is made, in which order, and how it ends.
#pragma once

#include "config/config.hpp"
#include "logging/logger.hpp"

namespace app {

// Serves until SIGTERM or SIGINT. The exit status: 0 when every request was answered, 1 when the service could not
// start or had to leave requests unanswered at the end.
int run(const config::Config& config, logging::Logger& logger);

}  // namespace app
