// What one rollout made of the cluster, kept in it: an immutable Secret, or several when it is large. Values and pure
// functions; execute::Ledger reads and writes them.
//
// The data of the Secrets never changes: the whole desired state, zstd-compressed JSON. What changes (state, outcome,
// progress) stands in labels and annotations of the head, the Secret a release is known by. What is read is not
// trusted: anybody who may write Secrets in the namespace may have written it.
#pragma once

#include "core/base/result.hpp"
#include "core/json/value.hpp"
#include "core/kube/object.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

// The records of one project and environment in one namespace are one ledger.
struct LedgerScope {
  std::string project;
  std::string environment;  // empty: the project manifest names none
  std::string name_space;
};

// pending until its run has ended; interrupted when the run never said how it ended. Superseded is no mark of its own:
// a deployed release is, once a newer one is deployed.
enum class ReleaseState { pending, deployed, failed, rolled_back, superseded, interrupted };

std::string_view to_string(ReleaseState state);  // "rolled-back"
std::optional<ReleaseState> parse_release_state(std::string_view text);

// Of a service whose pods take turns between two Deployments; the objects of a release are those of the first one.
struct TwoSides {
  std::string other_deployment;       // name of the second
  std::chrono::milliseconds keep{0};  // so long the side that is left stays after a switch

  friend bool operator==(const TwoSides&, const TwoSides&) = default;
};

struct Release {
  long long number = 0;  // 1, 2, 3 … in one ledger
  std::string project;
  std::string environment;
  std::string commit;  // full id; empty outside git
  std::string tag;
  std::string actor;                          // "ada@laptop"
  std::string action;                         // "rollout", "rollout of web", "undo to release 3"
  std::string tool_version;                   // of deployctl
  std::string started;                        // RFC 3339
  long long epoch = 0;                        // of the lock it was made under
  std::vector<std::string> services;          // that the run was about
  std::map<std::string, std::string> images;  // service -> "repository:tag@sha256:…", of all services
  // The desired state of all services; those the run left alone are carried forward. No Secrets: their values are in
  // nothing but themselves, and they are named after their content.
  std::vector<Object> objects;
  std::vector<std::string> secrets;           // names of the Secrets that belong to it
  std::map<std::string, TwoSides> two_sides;  // by service
  // Service -> those that are rolled out before it is touched. It says how to come to the state, and is no part of it.
  std::map<std::string, std::vector<std::string>> depends_on;
};

// What a list of the heads' metadata tells.
struct ReleaseSummary {
  long long number = 0;
  ReleaseState state = ReleaseState::pending;
  std::string commit;
  std::string tag;
  std::string actor;
  std::string action;
  std::string tool_version;
  std::string started;   // RFC 3339
  std::string finished;  // RFC 3339; empty while it is pending
  std::string outcome;   // one line; empty while it is pending
  long long epoch = 0;   // of the lock of whoever wrote last
  std::vector<std::string> services;
  std::map<std::string, std::string> images;  // empty when there are too many for a summary
  // Every object of the release, its Secrets too; nothing when there are too many for a summary.
  std::optional<std::vector<ObjectKey>> inventory;
  json::Value progress;  // what the run noted last; null when nothing
  std::string content;   // content_digest() of the release
  std::string journal;   // how far its steps are, in words: "3 of 7 steps done; running: apply:deployment/api"
  // Tasks that it has begun and that releases before it cannot live with: "api/clean-up".
  std::vector<std::string> contracts;
  std::string resource_version;

  // Whether the cluster was once all this release says, so that one can go back to it.
  [[nodiscard]] bool was_deployed() const {
    return state == ReleaseState::deployed || state == ReleaseState::superseded;
  }
};

inline constexpr std::string_view release_secret_type = "deployctl.dev/release.v1";
inline constexpr std::string_view release_label = "deployctl.dev/release";
inline constexpr std::string_view release_state_label = "deployctl.dev/state";

// "deployctl.shop.prod": what the Lease and the Secrets of a ledger are named after.
std::string ledger_name(const LedgerScope& scope);
// The Secret a release is known by: "deployctl.shop.prod.v12".
ObjectKey release_key(const LedgerScope& scope, long long number);
// Selects every Secret of the ledger, chunks too.
std::string ledger_selector(const LedgerScope& scope);

// The Secrets in the order they are to be created: the head last, so that a release is there as a whole or not at all.
// failed when it is larger than a release may be.
base::Result<std::vector<Object>> to_secrets(const Release& release, const LedgerScope& scope);

// The number in a Secret's labels; nothing when it is none of the ledger's.
std::optional<long long> release_number(const Object& secret);
// Whether it is the head; otherwise it is a chunk.
bool is_release_head(const Object& secret);
// From the head's metadata; its data need not be there. failed when the head is damaged.
base::Result<ReleaseSummary> read_release_summary(const Object& head, const LedgerScope& scope);

// The other Secrets the data of this head is in, in order. failed when the head is damaged.
base::Result<std::vector<ObjectKey>> release_chunks(const Object& head, const LedgerScope& scope);
// failed when anything does not fit: sizes, checksum, form, another project, another namespace, a kind that no release
// has.
base::Result<Release> read_release(const Object& head, std::span<const Object> chunks, const LedgerScope& scope);

// Changes of the head; what is nothing stays as it is.
struct ReleaseChange {
  std::optional<ReleaseState> state;
  std::optional<std::string> outcome;
  std::optional<std::string> finished;
  std::optional<json::Value> progress;
  std::optional<std::string> journal;
  std::optional<std::vector<std::string>> contracts;
  std::optional<long long> epoch;
};
// A merge patch (RFC 7396) that the API server refuses when the head is no longer in that version.
json::Value release_patch(const ReleaseChange& change, std::string_view resource_version);

// The newest deployed release: what the cluster is meant to be. Null when there is none.
const ReleaseSummary* live_release(std::span<const ReleaseSummary> newest_first);
// The release an undo goes back to: `to`, or the live one when something has been tried since, or else the one before
// it. not_found or refused, with what there is, when there is no such release to go back to.
base::Result<long long> undo_target(std::span<const ReleaseSummary> newest_first, std::optional<long long> to);
// What was begun after release `number` and it cannot live with, of these services (empty: of all): refused, naming the
// newest such release and its tasks. Success when there is none.
base::Status check_compatible(std::span<const ReleaseSummary> newest_first, long long number,
                              const std::vector<std::string>& services);
// The numbers of those that stay when old ones are deleted: the newest `keep`, of those one can go back to the newest
// `keep` beside them, and what stands in the way to one of these.
std::set<long long> kept_releases(std::span<const ReleaseSummary> newest_first, std::size_t keep);

// The same for releases that want the same of the cluster, whoever made them and when.
std::string content_digest(const Release& release);
// Every object of the release with its Secrets, as the inventory has them.
std::vector<ObjectKey> inventory(const Release& release, std::string_view name_space);

}  // namespace deployctl::kube
