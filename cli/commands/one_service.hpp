// What the commands about one deployed service begin with: project manifest, service, cluster.
#pragma once

#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <functional>
#include <string>

namespace deployctl::cli {

class Runtime;

struct OneService {
  const project::Target& target;
  const project::Service& service;
  cluster::Client& client;
  execute::Ports ports;
};

// Loads, finds and connects, then calls `act` and returns its exit code; shows what fails before.
int with_service(Runtime& runtime, const std::string& name, const std::function<int(const OneService&)>& act);

}  // namespace deployctl::cli
