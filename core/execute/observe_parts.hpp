// The parts of observing (observe.hpp). Each looks at one thing outside and fills what it has seen into a Seen.
#pragma once

#include "core/execute/observe.hpp"

#include <string_view>
#include <vector>

namespace deployctl::execute {

// What is looked for, and for whom.
struct Looking {
  const project::Target& target;
  const plan::Wish& wish;
  const ObserveOptions& options;
  const Ports& ports;
  std::vector<const project::Service*> services;  // that the wish is about
};

// What every part has at hand.
class Look {
 protected:
  Look(const Looking& looking, Seen& seen)
      : target_(looking.target),
        wish_(looking.wish),
        options_(looking.options),
        ports_(looking.ports),
        services_(looking.services),
        seen_(seen) {}

  [[nodiscard]] LedgerScope ledger_scope() const { return {*target_.project, target_.environment, target_.name_space}; }

  const project::Target& target_;
  const plan::Wish& wish_;
  const ObserveOptions& options_;
  const Ports& ports_;
  const std::vector<const project::Service*>& services_;
  Seen& seen_;
};

// The cluster of a rollout: which one it is, what runs, what scales it, what we may do there, and whether a run is at
// work. Nothing is looked at without a rollout.
base::Status see_cluster(const Looking& looking, Seen& seen);

// The images that the run does not make: pinned by the digest that their registry has. rollout_failed for one that is
// not there. Named are those of the commit's tag and of the command line, for which the cluster need not be known;
// ready are those of the project manifest, which stay what runs unless they are to be looked up.
base::Status see_named_images(const Looking& looking, Seen& seen);
base::Status see_ready_images(const Looking& looking, Seen& seen);

// Of the services whose named image is the same as the live one: the live one. Of the observation only what no other
// part writes is touched.
ServiceImages unchanged_images(const Looking& looking, Seen& seen);

// What the ledger says, where the plan depends on it; with a dry run, what each apply would change and what would be
// pruned. refused for a commit that is older than what is live.
base::Status see_changes(const Looking& looking, Seen& seen);

inline constexpr std::string_view registry_hint =
    "is the registry running, and is `registry` in the project manifest right? 'deployctl doctor' looks at every part";

}  // namespace deployctl::execute
