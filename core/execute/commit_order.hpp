// Keeps an older commit from taking the place of a newer one: two pipelines of one branch may end in either order.
#pragma once

#include "core/base/result.hpp"
#include "core/io/git.hpp"
#include "core/kube/release.hpp"

#include <string>

namespace deployctl::execute {

// Success when `commit` is the live release's or descends from it, or when the live one has none (it was made outside
// git). refused otherwise, also when the repository in `directory` cannot tell; the hint says what would help.
base::Status check_commit_order(const kube::ReleaseSummary& live, const std::string& commit,
                                const std::string& directory, io::GitRepository& git);

}  // namespace deployctl::execute
