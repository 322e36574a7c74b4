// Targets for tests, built by hand.
#pragma once

#include "core/generate/inputs.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::tests {

template <typename T = std::string>
base::Located<T> at(T value) {
  return {std::move(value), {}};
}

base::Quantity quantity(std::string_view text);
project::Probe http_probe(std::string path);

// A service that is built with a Dockerfile of ours, on port 8080 with /health.
project::Service go_service(const std::string& name);
project::Service cpp_service(const std::string& name);
// A ready image: a backing service.
project::Service image_service(const std::string& name, const std::string& image);

// One Go service and nothing else, no environment: the smallest project manifest.
project::Target mini();
// Everything at once, in environment prod: two built services, databases, an external one, pipelines.
project::Target shop();
generate::Inputs shop_inputs();

}  // namespace deployctl::tests
