// What is known about the images of databases, caches and queues: the port they listen on and the command inside the
// image that says whether they are ready.
#pragma once

#include "core/project/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::generate {

struct KnownImage {
  std::string_view name;  // last part of the repository: "mysql" of docker.io/library/mysql:8.0
  std::string_view port_name;
  int port = 0;
  std::vector<std::string> ready_command;  // empty: nothing in the image could tell
};

// Null for images nothing is known about, and for services that are built.
const KnownImage* known_image(const project::Service& service);

// The service's ports, or the known image's when the project manifest names none.
std::vector<project::Port> effective_ports(const project::Service& service);

}  // namespace deployctl::generate
