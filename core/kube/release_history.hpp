// Which of the releases of a ledger is live, which one can go back to and which are kept.
#pragma once

#include "core/base/result.hpp"
#include "core/kube/release.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace deployctl::kube {

// The newest deployed release: what the cluster is meant to be. Null when there is none.
const ReleaseSummary* live_release(std::span<const ReleaseSummary> newest_first);
// The release an undo goes back to: `to`, or the live one when something has been tried since, or else the one before
// it. not_found or refused, with what there is, when there is no such release to go back to.
base::Result<long long> undo_target(std::span<const ReleaseSummary> newest_first, std::optional<long long> to);
// Whether a release that was about other services only stands behind a task ("api/clean-up") that it notes: what it has
// of that service is what was before the task.
bool is_behind(const ReleaseSummary& release, std::string_view task);
// What release `number` stands behind, or was begun after it and it cannot live with, of these services (empty: of
// all): refused, naming the newest such release and its tasks. Success when there is none.
base::Status check_compatible(std::span<const ReleaseSummary> newest_first, long long number,
                              const std::vector<std::string>& services);
// The numbers of those that stay when old ones are deleted: the newest `keep`, of those one can go back to the newest
// `keep` beside them, and what stands in the way to one of these.
std::set<long long> kept_releases(std::span<const ReleaseSummary> newest_first, std::size_t keep);

}  // namespace deployctl::kube
