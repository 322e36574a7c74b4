// What one rollout made of the cluster, as it is kept in it. Values and pure functions: release_secret.hpp says how
// they stand in Secrets, release_history.hpp which of several counts, and execute::Ledger reads and writes them.
#pragma once

#include "core/json/value.hpp"
#include "core/kube/object.hpp"

#include <chrono>
#include <map>
#include <optional>
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

// pending until its run has ended; interrupted when the run never said how it ended; continued when it waited for
// somebody and another release has gone on with it. Superseded is no mark of its own: a deployed release is, once a
// newer one is deployed.
enum class ReleaseState { pending, deployed, failed, rolled_back, superseded, interrupted, continued };

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

// As it stands in the record: [{"service": …}] by service.
json::Value to_json(const std::map<std::string, TwoSides>& two_sides);
// The same for releases that want the same of the cluster, whoever made them and when.
std::string content_digest(const Release& release);
// Every object of the release with its Secrets, as the inventory has them.
std::vector<ObjectKey> inventory(const Release& release, std::string_view name_space);

}  // namespace deployctl::kube
