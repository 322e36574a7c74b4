// The text of a first project manifest, for people to go on from: short, commented where something was guessed.
#pragma once

#include "core/project/detect.hpp"

#include <string>

namespace deployctl::project {

struct ScaffoldOptions {
  std::string project;   // any text: made a name
  std::string registry;  // empty: a placeholder to be replaced
};

// Valid as soon as every program found has a Dockerfile or a stack that has a template.
std::string scaffold(const Detected& detected, const ScaffoldOptions& options);

}  // namespace deployctl::project
