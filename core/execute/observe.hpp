// Looking at the world before planning: which commit, which images exist, what the cluster serves. Changes nothing.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/ports.hpp"
#include "core/execute/secrets.hpp"
#include "core/execute/world.hpp"
#include "core/plan/release.hpp"
#include "core/project/model.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// Whether ready images that run already are kept as they are, or looked up in their registries again.
enum class ReadyImages { keep, look_up };

// Whether a commit may take the place of one that it does not contain.
enum class OlderCommits { refused, allowed };

struct ObserveOptions {
  std::string tag;                            // empty: the commit's description
  std::map<std::string, std::string> images;  // service -> reference given on the command line
  ReadyImages ready_images = ReadyImages::keep;
  OlderCommits older_commits = OlderCommits::refused;
  // Ask the API server what each apply would change (one request an object): for showing a plan.
  bool with_dry_run = false;
};

// What was seen, and the connections it was seen through.
struct Seen {
  plan::Observation observation;
  std::optional<io::Commit> commit;
  SecretValues secrets;
  World world;
};

// Looks at what the wish needs and at nothing else: git and the engine to build, the engine and the registry to push,
// the registry and the cluster to roll out. Everything must answer before anything is done: unreachable, unauthorized,
// or rollout_failed for an image that should be in the registry.
base::Result<Seen> observe(const project::Target& target, const plan::Wish& wish, const ObserveOptions& options,
                           const Ports& ports);

// The tag for what is built now: `git describe` with "-dirty", as an image tag can be written; "dev" outside git.
std::string default_tag(const std::optional<io::Commit>& commit);

}  // namespace deployctl::execute
