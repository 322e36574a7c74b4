// Whose a node port is that a Service asks for in vain: the API server says only that it is taken.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// Whether a refusal says so.
bool is_port_taken(const base::Error& refusal);

// What the run is about.
struct PortQuestion {
  const kube::Object& wanted;  // the Service
  const project::Target& target;
  const std::vector<std::string>& services;  // that the run is about; empty: all
  // An object as the run makes it; null when it does not.
  std::function<const kube::Object*(const kube::ObjectKey&)> planned = {};
};

// The Service whose node port goes over to the wanted one: it is ours, and the run prunes it or gives it another port.
// Otherwise the refusal with who has the port, and what to do; the refusal as it is where that cannot be found out.
base::Result<kube::ObjectKey> taken_port(const PortQuestion& question, const base::Error& refusal,
                                         cluster::Client& client, const Ports& ports);

}  // namespace deployctl::execute
