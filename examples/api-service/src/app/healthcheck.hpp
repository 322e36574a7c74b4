// The service asking itself how it is: for container health checks in an image that has no shell and no curl.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace app {

// Whether http://ADDRESS:PORT/health answers 200. A wildcard host is asked at its loopback address.
bool is_healthy(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace app
