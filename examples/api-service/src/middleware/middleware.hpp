// What every request passes on its way to a handler. In the order in which the routes put them:
// trace, access_log, measure, errors, timeout; identity where a route needs to know who asks.
#pragma once

#include "logging/logger.hpp"
#include "metrics/metrics.hpp"
#include "router/context.hpp"

#include <chrono>

namespace middleware {

// Gives the request its trace id, from X-Trace-Id, else traceparent, else a new one; says it in X-Trace-Id.
router::Handler trace();

// One line a request; probes and scrapes that succeed only at level debug.
router::Handler access_log(logging::Logger& logger);

router::Handler measure(metrics::Metrics& metrics);

// The one place where errors become answers: ApiError its own status and code, anything else a 500 that tells the
// client nothing and the log everything.
router::Handler errors(logging::Logger& logger);

// Answers 503 when the rest of the chain takes longer. What it started goes on, its answer is dropped.
router::Handler timeout(std::chrono::milliseconds limit);

// Who asks: the X-User-Id field that a gateway sets, or the user_id of the query; 401 without.
router::Handler identity();

}  // namespace middleware
