// Looking at the world before planning: which commit, which images exist, what the cluster serves. Changes nothing.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/identity.hpp"
#include "core/execute/kept_images.hpp"
#include "core/execute/ledger.hpp"
#include "core/execute/ports.hpp"
#include "core/execute/secrets.hpp"
#include "core/execute/world.hpp"
#include "core/kube/field_diff.hpp"
#include "core/kube/lease.hpp"
#include "core/kube/permission.hpp"
#include "core/plan/release.hpp"
#include "core/project/model.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::execute {

// Whether ready images that run already are kept as they are, or looked up in their registries again.
enum class ReadyImages { keep, look_up };

// Whether a commit may take the place of one that it does not contain; told: a warning says that it would be refused.
enum class OlderCommits { refused, allowed, told };

// Whether an image that is to be built here may be missing yet: a plan can be made before it is pushed.
enum class MissingImages { refused, expected };

struct ObserveOptions {
  std::string tag;                            // empty: the commit's description
  std::optional<std::string> commit;          // instead of the one that is checked out
  std::map<std::string, std::string> images;  // service -> reference given on the command line
  ReadyImages ready_images = ReadyImages::keep;
  OlderCommits older_commits = OlderCommits::refused;
  // Ask the API server what each apply would change (one request an object): for showing a plan.
  bool with_dry_run = false;
  MissingImages missing_images = MissingImages::refused;
  // Workloads of another project or environment may be taken from it.
  bool take_over = false;
  // Whether a cluster that is met for the first time is the one the environment belongs to from now on.
  Record record = Record::no;
};

// An object that the cluster had as the plan wants it: applying it would have written nothing.
struct Settled {
  kube::Object object;
  io::SteadyTime at;
};

// What was seen, and the connections it was seen through.
struct Seen {
  plan::Observation observation;
  std::optional<io::Commit> commit;
  kube::ClusterIdentity cluster;
  std::optional<kube::Lease> lock;  // as it was when the cluster was looked at
  std::shared_ptr<Ledger> ledger;   // null when it was not read
  // Of the ledger, with their inventories, read after `lock` was found free: true for whoever has the lock next.
  std::optional<std::vector<kube::ReleaseSummary>> releases;
  std::optional<kube::AccessRules> access;  // what we may do in the namespace; nothing when the server does not say
  // Of objects of the plan that a dry run has shown, "" for those that are not there (execute/preflight.hpp).
  std::map<kube::ObjectKey, std::string> live_versions;
  std::vector<Settled> settled;  // by such dry runs
  // Of workloads: the variables that are to be taken out because they hide those of the project.
  std::map<kube::ObjectKey, std::vector<kube::FieldPath>> hiding;
  std::map<std::string, kube::Object> green;  // second sides of the chosen services (generate/sides.hpp), by service
  ServiceImages live_images;                  // of the chosen services, as their live Deployments have them
  NewImages named_images;                     // those of the tag, looked up and not compared yet with the live ones
  SecretValues secrets;
  World world;
};

// Whether nobody of us has written to the cluster between the look at it and the lock of that epoch.
bool is_untouched_since(const Seen& seen, long long epoch);

// Looks at what the wish needs and at nothing else: git and the engine to build, the engine and the registry to push,
// the registry and the cluster to roll out. Everything must answer before anything is done: unreachable, unauthorized,
// or rollout_failed for an image that should be in the registry.
base::Result<Seen> observe(const project::Target& target, const plan::Wish& wish, const ObserveOptions& options,
                           const Ports& ports);

// The tag for what is built now: `git describe` with "-dirty", as an image tag can be written; "dev" outside git.
std::string default_tag(const std::optional<io::Commit>& commit);

}  // namespace deployctl::execute
