// Pipelines for GitHub Actions and GitLab CI whose jobs run deployctl's own commands: check, build and push, and one
// rollout for each environment, in their order.
//
// No value of the project manifest is ever interpolated by the pipeline language: names are checked byte by byte, and
// secrets reach commands as environment variables.
#pragma once

#include "core/base/result.hpp"
#include "core/project/model.hpp"
#include "core/templating/template_set.hpp"

#include <span>
#include <string>

namespace deployctl::generate {

enum class CiSystem { github, gitlab };

// `environments` are the Targets of the environments that are deployed to; none: the Target itself. invalid_input for
// names that a pipeline cannot hold.
base::Result<std::string> pipeline(CiSystem system, const project::Target& target,
                                   std::span<const project::Target> environments,
                                   const templating::TemplateSet& templates);

}  // namespace deployctl::generate
