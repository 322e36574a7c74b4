// What of the services runs in the cluster.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/generate/sides.hpp"
#include "core/kube/object.hpp"
#include "core/kube/release.hpp"
#include "core/project/model.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace deployctl::execute {

struct Running {
  std::map<std::string, kube::Object> deployments;  // by service; of one with two sides the blue one
  std::map<std::string, kube::Object> green;        // the other ones (generate/sides.hpp), by service
};

// What the service's container of the Deployment runs; empty when there is none.
std::string running_image(const std::string& service, const kube::Object& deployment);

// One request, whatever the number of services.
base::Result<Running> read_running(const std::vector<std::string>& services, cluster::Client& client,
                                   const std::string& name_space, std::stop_token stop);

// The Deployment of the side that is live, of these two lists by service; null when there is none.
const kube::Object* live_deployment(const std::string& service, const std::map<std::string, kube::Object>& deployments,
                                    const std::map<std::string, kube::Object>& green,
                                    const std::map<std::string, generate::Side>& sides);

// A release as it was recorded has the number of pods of then. Of services that an autoscaler has in it they are made
// as many as the live ones are now, where there are any.
void keep_scaled(kube::Release& release, const Running& running, const std::map<std::string, generate::Side>& sides);

// refused when one of them is another project's or environment's (plan/belonging.hpp).
base::Status check_belonging(const Running& running, const project::Target& target);

}  // namespace deployctl::execute
