// The Compose file of a Target: every service that runs here, the way `docker compose up` starts it.
#pragma once

#include "core/base/result.hpp"
#include "core/json/value.hpp"
#include "core/project/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::generate {

// The file as data. It has no `name:` because Compose 1.29, which Debian 12 has, refuses it; networks and volumes are
// named after the project instead.
json::Value compose(const project::Target& target, std::string_view tag);

// A port of a service's container, and the one of this machine that it is published at.
struct PublishedPort {
  std::string service;
  int port = 0;
  int at = 0;
};

// In the order of services and their ports. A machine has each port once: the first service that listens on one gets it
// under its own number, every other the next that no service listens on. Backing services are not published.
std::vector<PublishedPort> published_ports(const project::Target& target);

// A literal text where Compose interpolates: every '$' doubled (Compose specification, "Interpolation").
std::string compose_literal(std::string_view text);

}  // namespace deployctl::generate
