// Every file a Target gives, by family: the pure heart of `deployctl generate`.
#pragma once

#include "core/base/result.hpp"
#include "core/generate/artifact.hpp"
#include "core/generate/dockerfile.hpp"
#include "core/generate/inputs.hpp"
#include "core/generate/kubernetes.hpp"
#include "core/project/model.hpp"
#include "core/templating/template_set.hpp"

#include <string>
#include <vector>

namespace deployctl::generate {

struct Options {
  std::vector<Family> families;  // empty: all of them
  std::string tag = "latest";    // of the images we build, in Compose and Kubernetes files
  CacheMounts cache_mounts = CacheMounts::no;
  ApiVersions api;
  // The Target of every environment, in their order, for the pipelines' rollout jobs; empty: one job without
  // environment.
  std::vector<project::Target> environments;
};

// Sorted by path, each path once. The CI family gives what `ci:` in the project manifest asks for: nothing without it.
base::Result<std::vector<Artifact>> artifacts(const project::Target& target, const Inputs& inputs,
                                              const templating::TemplateSet& templates, const Options& options = {});

}  // namespace deployctl::generate
