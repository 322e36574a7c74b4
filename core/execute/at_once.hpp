// Several questions to servers at the same time.
#pragma once

#include <functional>
#include <vector>

namespace deployctl::execute {

using Jobs = std::vector<std::function<void()>>;

// Calls every job, from at most `threads` threads (this one is one of them), in their order as threads get free, and
// returns when all have ended. A job must not throw.
void run_at_once(const Jobs& jobs, unsigned threads = 4);

}  // namespace deployctl::execute
