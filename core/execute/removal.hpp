// The command that takes out of an object what others have added to it. deployctl never does it by itself: a sidecar
// that a policy puts in looks the same as a variable that somebody forgot.
#pragma once

#include "core/kube/field_diff.hpp"
#include "core/kube/object.hpp"

#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

struct Removal {
  std::string object;   // "deployment/api"
  std::string command;  // of kubectl, to be given to a shell
  bool replaces_pods = false;
};

// `context` is that of the kubeconfig, empty: the current one. Nothing when there is nothing to take out, or when it is
// in a list of a kind that only its whole can be written of.
std::optional<Removal> removal_of(const kube::ObjectKey& key, const std::vector<kube::FieldPath>& added,
                                  const std::string& context);

}  // namespace deployctl::execute
