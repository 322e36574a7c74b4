// Going back to an earlier release: all of it, not only its pods.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/executor.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

enum class Incompatible { refused, allowed };

struct UndoWish {
  std::optional<long long> to;                        // number of a release; nothing: kube::undo_target
  std::vector<std::string> services;                  // empty: everything of that release
  Incompatible incompatible = Incompatible::refused;  // behind tasks that it does not work with
};

// Applies the release's objects again as a new release and deletes what it does not have. not_found when nothing is
// recorded, refused when a Secret it needs is gone or a task since then has taken away what it needs; what else stands
// against it is found out before the first write as for a rollout (preflight.hpp).
base::Status undo(std::unique_ptr<cluster::Client> client, const project::Target& target, const UndoWish& wish,
                  ExecuteOptions options, const Ports& ports);

}  // namespace deployctl::execute
