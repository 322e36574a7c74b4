// Going back to an earlier release: all of it, not only its pods.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/executor.hpp"
#include "core/execute/ports.hpp"
#include "core/kube/release.hpp"
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

// What the release that is meant has of the services that are meant. not_found when there is none, refused when a task
// since then has taken away what it needs.
base::Result<kube::Release> release_to_go_back_to(cluster::Client& client, const project::Target& target,
                                                  const UndoWish& wish, const Ports& ports);

// Applies its objects again as a new release and deletes what it does not have. refused when a Secret it needs is gone;
// what else stands against it is found out before the first write as for a rollout (preflight.hpp).
base::Status undo(std::unique_ptr<cluster::Client> client, const project::Target& target, const UndoWish& wish,
                  const kube::Release& release, ExecuteOptions options, const Ports& ports);

}  // namespace deployctl::execute
