// What `promote` and `abort` do to a blue-green service.
#pragma once

#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::cli {

class Runtime;

using ActOnSide = base::Status (*)(const project::Target&, const project::Service&, cluster::Client&,
                                   const execute::Ports&);

// Whether a single service is named, and that is blue-green.
bool is_one_with_sides(const project::Target& target, const std::vector<std::string>& services);

int act_on_side(Runtime& runtime, const std::string& service, bool yes, std::string_view command, ActOnSide act);

}  // namespace deployctl::cli
