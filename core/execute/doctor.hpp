// Looking at every outside part a release needs, and saying of each what is there or what would mend it.
#pragma once

#include "core/base/error.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

struct Checkup {
  std::string part;   // "engine", "compiler", "registry", "cluster", "identity", "git"
  std::string found;  // "docker 20.10.24 at unix:///…, builds with BuildKit"; empty when there is a problem
  std::optional<base::Error> problem;
};

// The engine or the compilers that build, every registry the project pushes to, the cluster with the permissions a
// rollout takes and which cluster it is, git. Parts are looked at side by side, so that several dead ones take no
// longer than one. Changes nothing.
std::vector<Checkup> examine(const project::Target& target, const Ports& ports);

}  // namespace deployctl::execute
