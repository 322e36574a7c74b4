// The lines a container prints, as they come, across restarts of the stream.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/io/process.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::cluster {

struct FollowOptions {
  std::string name_space;
  std::string pod;
  std::string container;
  std::optional<int> tail_lines;
};

// Calls `on_line` for each line, from this thread, made safe for a terminal. The server ends a stream when the log is
// rotated or a time-out is reached: it is then taken up from the last line's time, without repeating lines. Returns
// success when the container has ended, not_found when the pod has gone, interrupted after `stop`.
base::Status follow_log(Client& client, const FollowOptions& options,
                        const std::function<void(std::string_view)>& on_line, std::stop_token stop);

}  // namespace deployctl::cluster
