// What a run will do, as data: steps with their reasons and their order. Made by pure functions, printed by `plan`,
// carried out by execute::Executor. A plan holds no secret and nothing that only exists later (digests).
#pragma once

#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace deployctl::plan {

// Build the image of a service and tag it <repository>:<tag>.
struct BuildImage {
  std::string repository;
  std::string tag;
  bool with_provenance = false;  // what went in is kept, to be attached when the image is pushed
};

// Push <repository>:<tag> from the engine; its digest enters the image table.
struct PushImage {
  std::string repository;
  std::string tag;
};

// Put documents about the pushed image beside it in its registry.
struct AttachDocuments {
  bool sbom = false;
  bool provenance = false;
};

// Server-side apply. Images that this run makes stand in the object as placeholder_for(service).
struct ApplyObject {
  kube::Object object;
};

// Create the Secret a service refers to; its values are read when the step runs and are nowhere in the plan.
struct ApplySecret {
  std::string name;
};

// Watch the rollout of the service's workload until it is done or broken.
struct AwaitRollout {};

// Run a task of the service to its end, unless it has been for this very release.
struct RunTask {
  std::string task;
  bool is_contract = false;  // not before the last of the old pods is gone; no release before works with what it leaves
  kube::Object job;          // generate::task_job()
};

// Let the service's address lead to its new pods, which stand beside the old ones (generate/sides.hpp). A service with
// this step has two sides: its objects in the plan are those of the blue one, and the run finds out which side is next.
struct SwitchTraffic {
  bool goes_home = false;          // the service has two sides no longer: blue is what stays
  bool waits_for_promote = false;  // the new pods are left beside the old ones, for somebody to look at
};

// Let the pods go that the service's address does not lead to any more.
struct RetireSide {
  base::Milliseconds keep{0};  // so long they stay after a switch, to go back to
};

// Delete an object that earlier releases had, if it is ours (plan/prune.hpp).
struct PruneObject {
  kube::ObjectKey key;
  std::vector<std::string> services = {};  // only when it belongs to one of these; empty: whichever it belongs to
};

// Walk the steps of the service's canary, beside the stable pods, until they may have the new version. The objects are
// those of the service that a canary works with (canary/parts.hpp), as they are to be without it.
struct RunCanary {
  project::Canary settings;
  std::vector<kube::Object> objects;
};

// Take the canary away once the stable pods have the new version.
struct EndCanary {
  project::Canary settings;
  std::vector<kube::Object> objects;
};

using Action = std::variant<BuildImage, PushImage, AttachDocuments, ApplyObject, ApplySecret, RunTask, AwaitRollout,
                            SwitchTraffic, RetireSide, PruneObject, RunCanary, EndCanary>;

// What the step is expected to change, as far as that is known before it runs.
enum class Change { unknown, create, update, none, remove };

// A phase begins when every step of the earlier ones has succeeded: nothing in the cluster is touched before all
// images are where the cluster can pull them.
enum class Phase { images, cluster };

// What happens to a step when another one has failed that it does not come after.
enum class AfterFailure {
  is_left,  // it begins something new
  is_done,  // it ends what the steps before it began: the rollout of a service whose workload is applied
};

struct Step {
  std::string id;       // "build:api", "apply:deployment/api", "task:api/migrate", "rollout:api"; unique
  std::string service;  // empty: of the whole project
  Action action;
  Change change = Change::unknown;
  std::string reason;              // "commit 1a2b3c4", "image changes"; may be empty
  std::vector<std::string> after;  // ids of the steps of this phase that must have succeeded before
  Phase phase = Phase::images;
  AfterFailure after_failure = AfterFailure::is_left;
};

struct Plan {
  std::string project;
  std::string environment;
  std::string name_space;
  std::vector<Step> steps;                // in an order that respects `after`
  std::vector<std::string> kept_secrets;  // Secrets that its objects name and no step makes: they are there
  std::map<std::string, std::vector<std::string>> depends_on;  // of its services, for the record of the release
};

// "build api", "apply deployment/api": what the step does, in words.
std::string title(const Step& step);
// "SBOM and provenance".
std::string documents(const AttachDocuments& attach);

// Whether steps of the service lead its requests elsewhere by changing objects that other steps apply.
bool changes_routes(const Plan& plan, std::string_view service);

// What a release writes on its workloads, for history and status to find: the commit and the tag of the image.
inline constexpr std::string_view commit_annotation = "deployctl.dev/commit";
inline constexpr std::string_view tag_annotation = "deployctl.dev/tag";
// On the Deployment of a blue-green service, so that its record tells how to go back to it.
inline constexpr std::string_view strategy_annotation = "deployctl.dev/strategy";
inline constexpr std::string_view blue_green_strategy = "blue-green";

// What stands in an object for an image that is not known yet: "deployctl.invalid/<service>"; never a real reference
// (RFC 2606 reserves the domain).
std::string placeholder_for(std::string_view service);

}  // namespace deployctl::plan
