// Which commits may follow the live one, and what is said to the others.
#include "core/execute/commit_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::execute {
namespace {

using base::ErrorCode;
using io::CommitRelation;

class PlayedGit final : public io::GitRepository {
 public:
  explicit PlayedGit(io::CommitComparison answer) : answer_(answer) {}
  base::Result<io::Commit> head(const std::string& /*directory*/) override { return io::Commit(); }
  base::Result<io::CommitComparison> compare(const std::string& /*directory*/, const std::string& /*commit*/,
                                             const std::string& /*other*/) override {
    return answer_;
  }

 private:
  io::CommitComparison answer_;
};

const std::string ours(40, 'a');
const std::string theirs(40, 'b');

base::Status check(io::CommitComparison seen, const std::string& commit = ours, const std::string& live = theirs) {
  PlayedGit git(seen);
  return check_commit_order({.number = 7, .commit = live}, commit, "/project", git);
}

TEST(CommitOrder, LetsDescendantsAndTheSameCommitThrough) {
  EXPECT_TRUE(check({.relation = CommitRelation::descendant}));
  EXPECT_TRUE(check({.relation = CommitRelation::ancestor}, ours, ours));
  EXPECT_TRUE(check({.relation = CommitRelation::unknown}, ours, ""));
}

struct Row {
  io::CommitComparison seen;
  std::string commit;
  std::string message;
  std::string hint;
};

TEST(CommitOrder, RefusesTheOthersAndSaysWhatHelps) {
  const std::string deliberate = "to do it all the same: --allow-older; to go back to a release: deployctl undo";
  const Row rows[] = {
      {{.relation = CommitRelation::ancestor},
       ours,
       "commit aaaaaaa is older than what is live: release 7 of commit bbbbbbb",
       "a newer pipeline was faster; " + deliberate},
      {{.relation = CommitRelation::diverged},
       ours,
       "commit aaaaaaa does not contain what is live: release 7 of commit bbbbbbb",
       "merge bbbbbbb first; " + deliberate},
      {{.relation = CommitRelation::unknown, .is_shallow = true},
       ours,
       "cannot tell whether commit aaaaaaa contains what is live, release 7 of commit bbbbbbb: this clone is shallow",
       "git fetch --unshallow (in CI: fetch the whole history, GitHub fetch-depth: 0, GitLab GIT_DEPTH: 0); " +
           deliberate},
      {{.relation = CommitRelation::unknown},
       ours,
       "cannot tell whether commit aaaaaaa contains what is live, release 7 of commit bbbbbbb: this repository does "
       "not "
       "have that commit",
       "git fetch --all (in CI: fetch the whole history, GitHub fetch-depth: 0, GitLab GIT_DEPTH: 0); " + deliberate},
      {{},
       "",
       "what is live is release 7 of commit bbbbbbb, and this folder has no commit: it is in no git repository, or in "
       "one "
       "without commits",
       "run it in the repository; " + deliberate},
  };
  for (const auto& row : rows) {
    const auto checked = check(row.seen, row.commit);
    ASSERT_FALSE(checked) << row.message;
    EXPECT_EQ(checked.error().code, ErrorCode::refused);
    EXPECT_EQ(checked.error().message, row.message);
    EXPECT_EQ(checked.error().hint, row.hint);
  }
}

}  // namespace
}  // namespace deployctl::execute
