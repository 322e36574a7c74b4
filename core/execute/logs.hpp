// What the containers of a service print, from all its pods at once.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace deployctl::execute {

enum class Follow { no, yes };

struct LogOptions {
  std::optional<int> tail_lines = 100;  // of each container
  Follow follow = Follow::no;
  bool previous = false;  // of the run that ended last; containers that have not ended are left out
  std::string task = {};  // of this task's last Job; empty: of the service's own pods
};

// Called for each line, from several threads when following, one call at a time.
using LogLine = std::function<void(std::string_view pod, std::string_view line)>;

// not_found when the service has no pods or no such task, or when the task has not run. Following ends with the pods or
// with a stop request, which is no error.
base::Status read_logs(cluster::Client& client, const project::Target& target, const project::Service& service,
                       const LogOptions& options, const LogLine& on_line, const Ports& ports);

}  // namespace deployctl::execute
