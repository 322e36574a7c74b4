// Against repositories that the git program has made.
#include "core/platform/git_repository.hpp"

#include "core/platform/posix_process.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

namespace deployctl::platform {
namespace {

using base::ErrorCode;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

namespace fs = std::filesystem;

class GitRepositoryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.make_directory(project_, io::Permissions::plain));
    git({"init", "--quiet", "--initial-branch=main"});
  }

  // Runs git without the developer's own configuration, in `directory` or the project.
  std::string git(std::vector<std::string> arguments, const std::string& directory = {}) {
    arguments.insert(arguments.begin(), "git");
    PosixProcessRunner runner;
    const auto output = io::run_and_capture(runner,
                                            {.argv = arguments,
                                             .environment = {{"GIT_CONFIG_GLOBAL", "/dev/null"},
                                                             {"GIT_CONFIG_SYSTEM", "/dev/null"},
                                                             {"GIT_AUTHOR_NAME", "Ada"},
                                                             {"GIT_AUTHOR_EMAIL", "ada@example.com"},
                                                             {"GIT_COMMITTER_NAME", "Ada"},
                                                             {"GIT_COMMITTER_EMAIL", "ada@example.com"},
                                                             {"GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"}},
                                             .directory = directory.empty() ? project_ : directory},
                                            {});
    EXPECT_TRUE(output && output->status.is_success()) << testing::PrintToString(arguments) << output->err;
    return output ? output->out.substr(0, output->out.find('\n')) : std::string();
  }

  void write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(files_.write(project_ + "/" + name, content, io::Permissions::plain));
  }

  void commit(const std::string& name, const std::string& subject) {
    write(name, subject);
    git({"add", "--all"});
    git({"commit", "--quiet", "--message", subject});
  }

  io::Commit head(const std::string& directory = {}) {
    auto result = Libgit2Repository().head(directory.empty() ? project_ : directory);
    EXPECT_TRUE(result) << to_string(result.error());
    return result ? *result : io::Commit();
  }

  TemporaryDirectory directory_;
  PosixFileSystem files_;
  std::string project_ = directory_ / "project";
};

TEST_F(GitRepositoryTest, ReadsTheCommit) {
  commit("main.go", "Serve the first request");
  const auto commit = head();
  EXPECT_EQ(commit.id, git({"rev-parse", "HEAD"}));
  EXPECT_EQ(commit.short_id, git({"rev-parse", "--short", "HEAD"}));
  EXPECT_EQ(commit.summary, "Serve the first request");
  EXPECT_EQ(commit.author, "Ada");
  EXPECT_EQ(io::to_rfc3339(commit.time), "2026-01-02T03:04:05Z");
  EXPECT_EQ(commit.branch, "main");
  EXPECT_EQ(commit.nearest_tag, "");
  EXPECT_EQ(commit.description, commit.short_id);
  EXPECT_EQ(commit.remote_url, "");
  EXPECT_FALSE(commit.is_dirty);
}

TEST_F(GitRepositoryTest, SaysThatThereIsNoCommitYet) {
  const auto result = Libgit2Repository().head(project_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_EQ(result.error().message, "the git repository of '" + project_ + "' has no commit yet");
}

TEST_F(GitRepositoryTest, SaysThatADirectoryIsInNoRepository) {
  const TemporaryDirectory elsewhere;
  const auto result = Libgit2Repository().head(elsewhere.path());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_EQ(result.error().message, "'" + elsewhere.path() + "' is not in a git repository");
}

TEST_F(GitRepositoryTest, DescribesTheWayFromTheNearestTagAsGitDoes) {
  commit("a", "First");
  git({"tag", "v1.0"});
  EXPECT_EQ(head().description, "v1.0");
  commit("b", "Second");
  git({"tag", "--annotate", "--message", "release", "v1.1"});
  commit("c", "Third");
  const auto commit = head();
  EXPECT_EQ(commit.description, git({"describe", "--tags", "--always"}));
  EXPECT_THAT(commit.description, MatchesRegex("v1\\.1-1-g[0-9a-f]{7}"));
  EXPECT_EQ(commit.nearest_tag, "v1.1");
}

TEST_F(GitRepositoryTest, HasNoBranchWhenDetached) {
  commit("a", "First");
  commit("b", "Second");
  git({"checkout", "--quiet", "HEAD~1"});
  const auto commit = head();
  EXPECT_EQ(commit.branch, "");
  EXPECT_EQ(commit.summary, "First");
}

TEST_F(GitRepositoryTest, IsDirtyWithChangedStagedDeletedOrUntrackedFiles) {
  commit("a", "First");
  EXPECT_FALSE(head().is_dirty);
  write("a", "changed");
  EXPECT_TRUE(head().is_dirty) << "changed";
  git({"add", "a"});
  EXPECT_TRUE(head().is_dirty) << "staged";
  git({"reset", "--quiet", "--hard"});
  EXPECT_FALSE(head().is_dirty);
  ASSERT_TRUE(files_.remove(project_ + "/a"));
  EXPECT_TRUE(head().is_dirty) << "deleted";
  git({"reset", "--quiet", "--hard"});
  write("deep/down/new", "x");
  EXPECT_TRUE(head().is_dirty) << "untracked";
}

TEST_F(GitRepositoryTest, IsCleanWithIgnoredFilesOnly) {
  write(".gitignore", "build/\n*.log\n");
  commit("a", "First");
  write("build/out.o", "x");
  write("server.log", "x");
  write("logs/deep/server.log", "x");
  EXPECT_FALSE(head().is_dirty);
}

TEST_F(GitRepositoryTest, FindsTheRepositoryFromASubfolder) {
  commit("services/api/main.go", "First");
  EXPECT_EQ(head(project_ + "/services/api").summary, "First");
}

TEST_F(GitRepositoryTest, ReadsAWorktree) {
  commit("a", "First");
  const auto worktree = directory_ / "worktree";
  git({"worktree", "add", "--quiet", "-b", "feature/x", worktree});
  const auto commit = head(worktree);
  EXPECT_EQ(commit.branch, "feature/x");
  EXPECT_EQ(commit.id, head().id);
  EXPECT_FALSE(commit.is_dirty);
}

TEST_F(GitRepositoryTest, ReadsAShallowClone) {
  commit("a", "First");
  git({"tag", "v1"});
  commit("b", "Second");
  commit("c", "Third");
  const auto clone = directory_ / "clone";
  git({"clone", "--quiet", "--depth=1", "file://" + project_, clone});
  const auto commit = head(clone);
  EXPECT_EQ(commit.summary, "Third");
  EXPECT_EQ(commit.description, commit.short_id) << "the tag is beyond the end of the clone";
  EXPECT_EQ(commit.remote_url, "") << "a place of this machine";
  EXPECT_FALSE(commit.is_dirty);
}

TEST_F(GitRepositoryTest, ReadsABareRepository) {
  commit("a", "First");
  const auto bare = directory_ / "bare.git";
  git({"clone", "--quiet", "--bare", project_, bare});
  EXPECT_FALSE(head(bare).is_dirty);
}

TEST_F(GitRepositoryTest, TellsTheRemoteAsPeopleFindIt) {
  commit("a", "First");
  git({"remote", "add", "origin", "https://ci:token@git.example.com/shop/api.git"});
  EXPECT_EQ(head().remote_url, "https://git.example.com/shop/api");
}

TEST_F(GitRepositoryTest, RunsNoProgramOfTheRepository) {
  write(".gitattributes", "*.txt filter=evil\n");
  commit("a.txt", "First");
  const auto trace = directory_ / "ran";
  git({"config", "filter.evil.clean", "touch " + trace});
  git({"config", "core.fsmonitor", "touch " + trace});
  write("a.txt", "other");
  EXPECT_TRUE(head().is_dirty);
  EXPECT_FALSE(fs::exists(trace));
}

TEST_F(GitRepositoryTest, WritesNothingIntoTheRepository) {
  commit("a", "First");
  write("a", "First");  // the same content with a new time: git would refresh its index
  const auto before = fs::last_write_time(project_ + "/.git/index");
  EXPECT_FALSE(head().is_dirty);
  EXPECT_EQ(fs::last_write_time(project_ + "/.git/index"), before);
}

TEST_F(GitRepositoryTest, RefusesARepositoryThatBelongsToAnotherUser) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root can give a repository away";
  }
  commit("a", "First");
  constexpr uid_t somebody_else = 65534;
  ASSERT_EQ(chown(project_.c_str(), somebody_else, somebody_else), 0);
  ASSERT_EQ(chown((project_ + "/.git").c_str(), somebody_else, somebody_else), 0);
  const auto result = Libgit2Repository().head(project_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::refused);
  EXPECT_EQ(result.error().message, "the git repository '" + project_ + "' belongs to another user");
  EXPECT_EQ(result.error().hint, "if you trust it: git config --global --add safe.directory '" + project_ + "'");
}

TEST_F(GitRepositoryTest, SaysThatARepositoryIsDamaged) {
  commit("a", "First");
  write(".git/HEAD", "nonsense");
  const auto result = Libgit2Repository().head(project_);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, testing::AnyOf(HasSubstr("cannot"), HasSubstr("not in a git repository")));
}

TEST_F(GitRepositoryTest, TellsHowTwoCommitsStandToEachOther) {
  commit("a", "First");
  const auto first = head().id;
  commit("a", "Second");
  const auto second = head().id;
  git({"checkout", "--quiet", "-b", "side", first});
  commit("b", "Aside");
  const auto aside = head().id;
  const auto relation = [&](const std::string& one, const std::string& other) {
    const auto comparison = Libgit2Repository().compare(project_, one, other);
    EXPECT_TRUE(comparison) << to_string(comparison.error());
    return comparison->relation;
  };
  EXPECT_EQ(relation(second, second), io::CommitRelation::same);
  EXPECT_EQ(relation(second, first), io::CommitRelation::descendant);
  EXPECT_EQ(relation(first, second), io::CommitRelation::ancestor);
  EXPECT_EQ(relation(aside, second), io::CommitRelation::diverged);
  EXPECT_EQ(relation(second, std::string(40, '1')), io::CommitRelation::unknown);
  EXPECT_EQ(relation(second, "nonsense"), io::CommitRelation::unknown);
}

TEST_F(GitRepositoryTest, CannotTellInAShallowCloneWhatLiesBehindItsEdge) {
  commit("a", "First");
  const auto first = head().id;
  commit("a", "Second");
  const auto second = head().id;
  commit("a", "Third");
  const auto third = head().id;
  commit("a", "Fourth");
  const auto fourth = head().id;
  const auto clone = directory_ / "clone";
  git({"clone", "--quiet", "--depth=2", "file://" + project_, clone});
  const auto compared = [&](const std::string& one, const std::string& other) {
    const auto comparison = Libgit2Repository().compare(clone, one, other);
    EXPECT_TRUE(comparison) << to_string(comparison.error());
    return *comparison;
  };
  EXPECT_EQ(compared(fourth, third).relation, io::CommitRelation::descendant);
  EXPECT_EQ(compared(third, fourth).relation, io::CommitRelation::ancestor);
  const auto behind = compared(fourth, first);
  EXPECT_EQ(behind.relation, io::CommitRelation::unknown);
  EXPECT_TRUE(behind.is_shallow);
  EXPECT_FALSE(behind.is_known);
  // A commit that was fetched alone: known, but what lies between is not.
  git({"fetch", "--quiet", "--depth=1", "origin", first}, clone);
  const auto apart = compared(fourth, first);
  EXPECT_EQ(apart.relation, io::CommitRelation::unknown);
  EXPECT_TRUE(apart.is_known);
  git({"fetch", "--quiet", "--unshallow"}, clone);
  EXPECT_EQ(compared(fourth, first).relation, io::CommitRelation::descendant);
  EXPECT_FALSE(compared(fourth, second).is_shallow);
}

TEST(PublicAddress, IsTheSameHoweverTheRemoteIsSpelled) {
  const std::pair<std::string, std::string> rows[] = {
      {"https://git.example.com/shop/api", "https://git.example.com/shop/api"},
      {"https://git.example.com/shop/api.git", "https://git.example.com/shop/api"},
      {"https://git.example.com/shop/api.git/", "https://git.example.com/shop/api"},
      {"https://Git.Example.com/shop/api/", "https://git.example.com/shop/api"},
      {"http://git.example.com/shop/api.git", "https://git.example.com/shop/api"},
      {"https://ada@git.example.com/shop/api.git", "https://git.example.com/shop/api"},
      {"https://gitlab-ci-token:p@ss@git.example.com/shop/api.git", "https://git.example.com/shop/api"},
      {"https://git.example.com/shop/api.git?private_token=s3cret#x", "https://git.example.com/shop/api"},
      {"git@git.example.com:shop/api.git", "https://git.example.com/shop/api"},
      {"git.example.com:/shop/api.git", "https://git.example.com/shop/api"},
      {"ada:s3cret@git.example.com:shop/api.git", "https://git.example.com/shop/api"},
      {"ssh://git@git.example.com/shop/api.git", "https://git.example.com/shop/api"},
      {"ssh://git:s3cret@git.example.com:2222/shop/api.git", "https://git.example.com/shop/api"},
      {"git+ssh://git@git.example.com/shop/api.git", "https://git.example.com/shop/api"},
      {"git://git.example.com/shop/api.git", "https://git.example.com/shop/api"},
      {"https://git.example.com:8443/a@b.git", "https://git.example.com:8443/a@b"},
      {"http://ada:s3cret@git.lan:3000/shop/api.git", "http://git.lan:3000/shop/api"},
      {"https://token@host", "https://host"},
  };
  for (const auto& [url, expected] : rows) {
    EXPECT_EQ(public_address(url), expected) << url;
  }
}

TEST(PublicAddress, IsNoneForAPathOfThisMachine) {
  for (const std::string remote : {"", "/srv/git/api.git", "../api.git", "./a:b", "api", "file:///home/ada/api.git",
                                   "/home/ada@work:x/api", "https://", "host:", ":path"}) {
    EXPECT_EQ(public_address(remote), "") << remote;
  }
}

}  // namespace
}  // namespace deployctl::platform
