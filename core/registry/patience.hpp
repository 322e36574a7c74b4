// How long the client puts up with a registry that is slow or broken, as the user's environment says:
//
//   DEPLOYCTL_REGISTRY_ATTEMPTS       of one request, the first included; 1 to 100
//   DEPLOYCTL_REGISTRY_RETRY_WAIT     before the second attempt; doubled for each further one
//   DEPLOYCTL_REGISTRY_STALL_TIMEOUT  ends a transfer in which nothing moves for so long
#pragma once

#include "core/http/retry.hpp"
#include "core/io/environment.hpp"

#include <string>
#include <vector>

namespace deployctl::registry {

struct Patience {
  http::RetryPolicy retry;
  http::Timeouts timeouts;
  std::vector<std::string> remarks;  // for people: values that cannot be used, whose defaults stand
};

Patience patience(const io::Environment& environment);

}  // namespace deployctl::registry
