// Several questions to servers at the same time.
#pragma once

#include "core/base/result.hpp"

#include <functional>
#include <vector>

namespace deployctl::execute {

using Jobs = std::vector<std::function<void()>>;

// Calls every job, from at most `threads` threads (this one is one of them), in their order as threads get free, and
// returns when all have ended. A job must not throw.
void run_at_once(const Jobs& jobs, unsigned threads = 4);

using Attempts = std::vector<std::function<base::Status()>>;

// The same for jobs that may fail: all of them are carried out, and the first one's failure, in their order, is told.
base::Status try_at_once(const Attempts& attempts);

}  // namespace deployctl::execute
