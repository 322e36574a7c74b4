// The routes for those who run the service: probes, version, metrics; and the greeting, the first thing one tries.
#pragma once

#include "app/lifecycle.hpp"
#include "metrics/metrics.hpp"
#include "repository/user_repository.hpp"
#include "router/context.hpp"

#include <string>

namespace handler {

struct Build {
  std::string version;
  std::string commit;
  std::string build_time;
};

router::Handler hello(std::string greeting);  // GET /api/hello
router::Handler health();                     // GET /health: the process answers
// GET /ready: send requests here. Not while draining, not when the store does not answer.
router::Handler ready(const app::Lifecycle& lifecycle, repository::UserRepository& store);
router::Handler version(Build build);                    // GET /version
router::Handler metrics(const ::metrics::Metrics& all);  // GET /metrics

}  // namespace handler
