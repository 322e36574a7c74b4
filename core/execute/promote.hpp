// Going on with a canary that is under way and with a new side that waits: from any machine, with nothing but the
// cluster. Neither git nor a registry is asked.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/executor.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <memory>
#include <string>
#include <vector>

namespace deployctl::execute {

enum class Promotion {
  one_step,  // what it waits for at this step is given
  fully,     // the steps that are left are not taken
};

// A run that walks the canary at the moment is told and waited for; otherwise the release is carried on from its
// record. not_found when nothing of the services (empty: of any) waits or is under way; refused when it is being
// aborted, or was when this run had the lock.
base::Status promote(std::unique_ptr<cluster::Client> client, const project::Target& target,
                     const std::vector<std::string>& services, Promotion promotion, ExecuteOptions options,
                     const Ports& ports);

}  // namespace deployctl::execute
