#include "core/execute/commit_order.hpp"

#include "core/base/text.hpp"

namespace deployctl::execute {
namespace {

using base::Error;
using io::CommitRelation;

constexpr std::string_view deliberate = "to do it all the same: --allow-older; to go back to a release: deployctl undo";

std::string brief(const std::string& commit) {
  return base::printable(std::string_view(commit).substr(0, 7));
}

Error older(const kube::ReleaseSummary& live, const std::string& commit) {
  return Error::refused("commit {} is older than what is live: release {} of commit {}", brief(commit), live.number,
                        brief(live.commit))
      .with_hint("a newer pipeline was faster; {}", deliberate);
}

Error diverged(const kube::ReleaseSummary& live, const std::string& commit) {
  return Error::refused("commit {} does not contain what is live: release {} of commit {}", brief(commit), live.number,
                        brief(live.commit))
      .with_hint("merge {} first; {}", brief(live.commit), deliberate);
}

Error cannot_tell(const kube::ReleaseSummary& live, const std::string& commit, const io::CommitComparison& seen) {
  const auto why = seen.is_shallow ? "this clone is shallow" : "this repository does not have that commit";
  const auto mend = seen.is_shallow ? "git fetch --unshallow" : "git fetch --all";
  return Error::refused("cannot tell whether commit {} contains what is live, release {} of commit {}: {}",
                        brief(commit), live.number, brief(live.commit), why)
      .with_hint("{} (in CI: fetch the whole history, GitHub fetch-depth: 0, GitLab GIT_DEPTH: 0); {}", mend,
                 deliberate);
}

Error without_commit(const kube::ReleaseSummary& live) {
  return Error::refused(
             "what is live is release {} of commit {}, and this folder has no commit: it is in no git "
             "repository, or in one without commits",
             live.number, brief(live.commit))
      .with_hint("run it in the repository; {}", deliberate);
}

}  // namespace

base::Status check_commit_order(const kube::ReleaseSummary& live, const std::string& commit,
                                const std::string& directory, io::GitRepository& git) {
  if (live.commit.empty() || live.commit == commit) {
    return {};
  }
  if (commit.empty()) {
    return without_commit(live);
  }
  const auto seen = git.compare(directory, commit, live.commit);
  if (!seen) {
    return seen.error().within("comparing commits");
  }
  switch (seen->relation) {
    case CommitRelation::same:
    case CommitRelation::descendant:
      return {};
    case CommitRelation::ancestor:
      return older(live, commit);
    case CommitRelation::diverged:
      return diverged(live, commit);
    case CommitRelation::unknown:
      return cannot_tell(live, commit, *seen);
  }
  return {};
}

}  // namespace deployctl::execute
