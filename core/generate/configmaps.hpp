// The ConfigMaps of a service: one for its environment, one for its files. Both are immutable and named after their
// content, so a change makes new pods, and the pods of an earlier release keep what they were started with.
#pragma once

#include "core/base/result.hpp"
#include "core/generate/inputs.hpp"
#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace deployctl::generate {

// A file of the project as the pod sees it.
struct MountedFile {
  std::string path;  // in the container
  std::string key;   // in the ConfigMap
};

struct ConfigMaps {
  std::optional<kube::Object> environment;
  std::optional<kube::Object> files;
  std::vector<MountedFile> mounts;  // the keys of `files`
};

// invalid_input when the files together are more than a ConfigMap holds.
base::Result<ConfigMaps> config_maps(const project::Target& target, const project::Service& service,
                                     const Inputs& inputs);

}  // namespace deployctl::generate
